// Attribution: steps that add up to a total and may cross zero.
// {steps: [{name, value}], total_label, unit}
import { formatter } from "./format.js";
import { axis, frame, ticks, tooltip, valueAxis } from "./parts.js";

export function waterfallOption(data, c, { width = 800, height = 340 } = {}) {
  const show = formatter(data.unit || "pnl", data.digits);
  const rows = [];
  let sum = 0;
  for (const { name, value } of data.steps) {
    rows.push({ name, from: sum, value });
    sum += value;
  }
  rows.push({ name: data.total_label || "Total", from: 0, value: sum, total: true });
  const colour = (row) => (row.total ? c.soft : row.value < 0 ? c.loss : c.gain);
  // "all" stacks a signed step on a signed base, so a step may cross zero in one bar.
  const stacked = { type: "bar", stack: "all", stackStrategy: "all", barMaxWidth: 46 };
  const labels = {
    type: "scatter",
    symbolSize: 0.01,
    silent: true,
    tooltip: { show: false },
    z: 5,
    data: rows.map((row, i) => [i, Math.max(row.from, row.from + row.value)]),
    label: {
      show: width >= 560,
      position: "top",
      color: c.ink,
      fontSize: 11,
      formatter: (item) => show(rows[item.dataIndex].value),
    },
  };
  return {
    ...frame(c, { top: 26, bottom: 8 }),
    tooltip: tooltip(c, {
      axisPointer: { type: "shadow", shadowStyle: { color: c.soft, opacity: 0.1 } },
      formatter: (items) => `${items[0].name}\n${show(rows[items[0].dataIndex].value)}`,
    }),
    xAxis: axis(c, "category", {
      data: rows.map((row) => row.name),
      axisLine: { onZero: false, lineStyle: { color: c.strong } },
      axisLabel: { interval: 0, hideOverlap: false, rotate: width < 560 ? 40 : 0 },
    }),
    yAxis: valueAxis(c, { splitNumber: ticks(height), axisLabel: { formatter: show } }),
    series: [
      {
        ...stacked,
        silent: true,
        data: rows.map((row) => row.from),
        itemStyle: { color: "transparent" },
        markLine: {
          symbol: "none",
          silent: true,
          data: [{ yAxis: 0 }],
          label: { show: false },
          lineStyle: { color: c.strong, type: "solid", width: 1 },
        },
      },
      {
        ...stacked,
        name: "Step",
        data: rows.map((row) => ({ value: row.value, itemStyle: { color: colour(row) } })),
      },
      labels,
    ],
  };
}
