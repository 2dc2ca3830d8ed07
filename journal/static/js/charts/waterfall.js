// Attribution: steps that add up to a total and may cross zero.
// {steps: [{name, value}], total_label, unit}
import { formatter } from "./format.js";
import { axis, frame, tooltip, valueAxis } from "./parts.js";

export function waterfallOption(data, c, { width = 800 } = {}) {
  const show = formatter(data.unit || "usd", data.digits);
  const rows = [];
  let sum = 0;
  for (const { name, value } of data.steps) {
    rows.push({ name, from: sum, to: sum + value, value });
    sum += value;
  }
  rows.push({ name: data.total_label || "Total", from: 0, to: sum, value: sum, total: true });
  // A bar that crosses zero is two pieces; the clear base carries bars that start away from it.
  const pieces = rows.map(({ from, to }) => {
    const low = Math.min(from, to);
    const high = Math.max(from, to);
    return { base: low > 0 ? low : high < 0 ? high : 0, up: Math.max(0, high) - Math.max(0, low), down: Math.min(0, low) - Math.min(0, high) };
  });
  const colour = (row) => (row.total ? c.soft : row.value < 0 ? c.loss : c.gain);
  const bars = (key, name) => ({
    name, type: "bar", stack: "all", stackStrategy: "all", barMaxWidth: 46,
    data: pieces.map((piece, i) => ({ value: piece[key], itemStyle: { color: colour(rows[i]) } })),
  });
  const labels = {
    type: "scatter", symbolSize: 0.01, silent: true, data: rows.map((row, i) => [i, Math.max(row.from, row.to)]),
    label: { show: true, position: "top", color: c.ink, fontSize: 11, formatter: (item) => show(rows[item.dataIndex].value) }, tooltip: { show: false },
  };
  return {
    ...frame(c, { top: 26, bottom: 8 }),
    tooltip: tooltip(c, { axisPointer: { type: "shadow", shadowStyle: { color: c.soft, opacity: 0.1 } }, formatter: (items) => `${items[0].name}\n${show(rows[items[0].dataIndex].value)}` }),
    xAxis: axis(c, "category", { data: rows.map((row) => row.name), axisLabel: { interval: 0, hideOverlap: false, rotate: width < 560 ? 40 : 0 } }),
    yAxis: valueAxis(c, { axisLabel: { formatter: show } }),
    series: [
      { type: "bar", stack: "all", stackStrategy: "all", silent: true, data: pieces.map((piece) => piece.base), itemStyle: { color: "transparent" } },
      bars("up", "Above zero"), bars("down", "Below zero"), labels,
    ],
  };
}
