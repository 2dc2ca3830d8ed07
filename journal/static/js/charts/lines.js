// Several lines or point clouds over one numeric or category axis: term curves and smiles.
import { points } from "./format.js";

export function linesOption(data, c) {
  const colours = [c.gain, c.loss, c.soft, c.ink];
  return {
    animation: false, aria: { enabled: true }, grid: { left: 26, right: 20, top: 62, bottom: 34, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: c.ink } },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: c.card, borderColor: c.soft, textStyle: { color: c.ink }, valueFormatter: (v) => (v === undefined || v === null ? "unknown" : points(v)) },
    xAxis: { type: data.categories ? "category" : "value", data: data.categories, scale: true, name: data.x_label, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: c.soft }, axisLabel: { color: c.soft }, splitLine: { show: false }, axisLine: { lineStyle: { color: c.grid } } },
    yAxis: { type: "value", scale: true, name: data.y_label, nameLocation: "middle", nameGap: 44, nameTextStyle: { color: c.soft }, axisLabel: { color: c.soft }, splitLine: { lineStyle: { color: c.grid } } },
    series: data.series.map((s, i) => ({
      name: s.name, type: s.points ? "scatter" : "line", symbolSize: s.points ? 4 : 7, showSymbol: Boolean(data.categories) || Boolean(s.points),
      data: s.data, connectNulls: true, itemStyle: { color: colours[i % 4] }, lineStyle: { color: colours[i % 4], width: 2, type: s.dashed ? "dashed" : "solid" },
    })),
  };
}
