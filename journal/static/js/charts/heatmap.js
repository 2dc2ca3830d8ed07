// A calendar of daily results: {days: [["2026-11-20", 125.5], …], unit}. Years stack.
import { formatter } from "./format.js";
import { frame, tooltip } from "./parts.js";

export function heatmapOption(data, c, { width = 800 } = {}) {
  const show = formatter(data.unit || "usd", data.digits);
  const days = data.days.filter(([, value]) => value !== null);
  const reach = Math.max(1e-9, ...days.map(([, value]) => Math.abs(value)));
  const years = [...new Set(data.days.map(([day]) => day.slice(0, 4)))].sort();
  const cell = Math.max(6, Math.min(18, Math.floor((width - 60) / 54)));
  return {
    ...frame(c),
    tooltip: tooltip(c, { trigger: "item", formatter: (item) => `${item.value[0]}  ${show(item.value[1])}` }),
    visualMap: { type: "continuous", min: -reach, max: reach, show: false, inRange: { color: [c.loss, c.lossWash, c.card, c.gainWash, c.gain] } },
    calendar: years.map((year, i) => ({
      range: year, top: 26 + i * (7 * cell + 38), left: 46, right: 8, cellSize: ["auto", cell], orient: "horizontal",
      itemStyle: { color: c.card, borderColor: c.grid, borderWidth: 1 }, splitLine: { lineStyle: { color: c.strong, width: 1 } },
      dayLabel: { firstDay: 1, color: c.soft, fontSize: 11, nameMap: ["", "Mon", "", "Wed", "", "Fri", ""] },
      monthLabel: { color: c.soft, fontSize: 11 }, yearLabel: { show: years.length > 1, color: c.soft, fontSize: 12, margin: 30 },
    })),
    series: years.map((year, i) => ({ type: "heatmap", coordinateSystem: "calendar", calendarIndex: i, data: days.filter(([day]) => day.startsWith(year)) })),
  };
}
