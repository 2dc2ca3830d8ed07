// Several lines, or clouds of points, over numbers, categories or times.
import { formatter, points } from "./format.js";
import { axis, frame, legend, legendRoom, ticks, tooltip, valueAxis } from "./parts.js";

// More points than this are a line, not readings.
const MARKED = 24;
const DASHES = ["solid", [6, 4], [2, 3], [8, 3, 2, 3], "solid"];

export function seriesOf(item, i, c, shown) {
  const colour =
    item.tone === "gain" ? c.gain : item.tone === "loss" ? c.loss : c.series[i % c.series.length];
  return {
    name: item.name,
    type: item.points ? "scatter" : "line",
    symbol: item.symbol || (item.points ? "circle" : "emptyCircle"),
    symbolSize: item.points ? 4 : 6,
    showSymbol: Boolean(shown && shown.length <= MARKED) || Boolean(item.points),
    data: item.data,
    connectNulls: true,
    step: item.step || false,
    itemStyle: { color: colour },
    lineStyle: { color: colour, width: 2, type: item.dashed ? "dashed" : DASHES[i % DASHES.length] },
    areaStyle: item.area ? { color: colour, opacity: 0.12 } : undefined,
  };
}

export function linesOption(data, c, { width = 800, height = 340 } = {}) {
  const type = data.categories ? "category" : data.x_type || "value";
  const y = formatter(data.unit, data.digits);
  const many = data.series.length > 1;
  return {
    ...frame(c, {
      top: many
        ? legendRoom(
            data.series.map((item) => item.name),
            width,
          )
        : 18,
      bottom: 8,
    }),
    legend: many ? legend(c) : undefined,
    tooltip: tooltip(c, { valueFormatter: y }),
    xAxis: axis(c, type, {
      data: data.categories,
      scale: type === "value",
      name: data.x_label,
      boundaryGap: type === "category",
      axisLabel:
        type === "value"
          ? { formatter: (v) => points(v, 1), showMinLabel: false, showMaxLabel: false }
          : { alignMinLabel: "left", alignMaxLabel: "right", margin: 10 },
    }),
    yAxis: valueAxis(c, {
      splitNumber: ticks(height),
      scale: !data.from_zero,
      name: data.y_label,
      nameGap: 34,
      axisLabel: { formatter: y },
    }),
    series: data.series.map((item, i) => seriesOf(item, i, c, data.categories)),
  };
}
