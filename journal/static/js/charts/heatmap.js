// A calendar of daily results: {days: [["2026-11-20", 125.5], …], unit}.
// A row a year, on a phone a row a half-year; the newest rows where there are many.
import { formatter } from "./format.js";
import { frame, tooltip } from "./parts.js";

const MOST_ROWS = 4;

function spans(days, width) {
  if (width >= 560)
    return [...new Set(days.map(([day]) => day.slice(0, 4)))].map((year) => ({
      from: `${year}-01-01`,
      to: `${year}-12-31`,
      label: year,
    }));
  const halves = days.map(([day]) => `${day.slice(0, 4)}-${Number(day.slice(5, 7)) <= 6 ? 1 : 2}`);
  return [...new Set(halves)].map((half) => {
    const year = half.slice(0, 4);
    return half.endsWith("1")
      ? { from: `${year}-01-01`, to: `${year}-06-30`, label: year }
      : { from: `${year}-07-01`, to: `${year}-12-31`, label: year };
  });
}

export function heatmapOption(data, c, { width = 800 } = {}) {
  const show = formatter(data.unit || "pnl", data.digits);
  const days = data.days.filter(([, value]) => value !== null).sort();
  const rows = spans(days, width).slice(-MOST_ROWS);
  // One extreme day must not wash out the rest: the scale ends at the 95th percentile.
  const sizes = days.map(([, value]) => Math.abs(value)).sort((a, b) => a - b);
  const reach = Math.max(1e-9, sizes[Math.floor(sizes.length * 0.95)] ?? 0);
  const weeks = width >= 560 ? 54 : 27;
  const cell = Math.max(8, Math.min(18, Math.floor((width - 84) / weeks)));
  const step = 7 * cell + 40;
  return {
    ...frame(c),
    height: 24 + rows.length * step,
    tooltip: tooltip(c, { trigger: "item", formatter: (item) => `${item.value[0]}  ${show(item.value[1])}` }),
    visualMap: {
      type: "continuous",
      min: -reach,
      max: reach,
      show: false,
      inRange: { color: [c.loss, c.card, c.gain] },
    },
    calendar: rows.map((row, i) => ({
      range: [row.from, row.to],
      top: 28 + i * step,
      left: 74,
      right: 8,
      cellSize: ["auto", cell],
      orient: "horizontal",
      itemStyle: { color: c.card, borderColor: c.grid, borderWidth: 1 },
      splitLine: { lineStyle: { color: c.strong, width: 1 } },
      dayLabel: { firstDay: 1, color: c.soft, fontSize: 11, nameMap: ["", "Mon", "", "Wed", "", "Fri", ""] },
      monthLabel: { color: c.soft, fontSize: 11 },
      yearLabel: { show: true, formatter: row.label, color: c.ink, fontSize: 12, margin: 44 },
    })),
    series: rows.map((row, i) => ({
      type: "heatmap",
      coordinateSystem: "calendar",
      calendarIndex: i,
      data: days.filter(([day]) => day >= row.from && day <= row.to),
    })),
  };
}
