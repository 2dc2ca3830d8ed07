// P&L at expiry and today over the underlying, with spot, break-evens, strikes and one sd.
import { money, points } from "./format.js";

function line(at, label, colour, type) {
  return { xAxis: at, lineStyle: { color: colour, type }, label: { formatter: label, color: colour, position: "end", fontSize: 11 } };
}

export function payoffOption(data, c) {
  const pair = (values) => data.prices.map((price, i) => [price, values[i]]);
  const marks = data.spot === null ? [] : [line(data.spot, `now ${points(data.spot)}`, c.spot, "solid")];
  for (const at of data.break_evens) marks.push(line(at, `BE ${points(at)}`, c.ink, "dashed"));
  const area = data.one_sd
    ? { silent: true, itemStyle: { color: c.gainWash, opacity: 0.45 }, data: [[{ xAxis: data.one_sd[0] }, { xAxis: data.one_sd[1] }]] }
    : undefined;
  const series = [{
    name: "At expiry", type: "line", showSymbol: false, data: pair(data.expiry), lineStyle: { width: 2.4, color: c.gain },
    itemStyle: { color: c.gain }, areaStyle: { color: c.gain, opacity: 0.07 }, markArea: area,
    markLine: { symbol: "none", silent: true, data: marks },
  }];
  if (data.today) {
    series.push({ name: "Today", type: "line", showSymbol: false, data: pair(data.today), lineStyle: { width: 2, color: c.loss, type: "dashed" }, itemStyle: { color: c.loss } });
  }
  return {
    animation: false, aria: { enabled: true }, grid: { left: 8, right: 20, top: 56, bottom: 30, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: c.ink } },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: c.card, borderColor: c.soft, textStyle: { color: c.ink }, valueFormatter: money, axisPointer: { label: { formatter: (p) => points(p.value) } } },
    xAxis: { type: "value", min: data.prices[0], max: data.prices[data.prices.length - 1], name: data.underlying, nameLocation: "middle", nameGap: 26, nameTextStyle: { color: c.soft }, axisLabel: { color: c.soft, formatter: (v) => points(v, 0) }, splitLine: { show: false }, axisLine: { lineStyle: { color: c.grid } } },
    yAxis: { type: "value", axisLabel: { color: c.soft, formatter: money }, splitLine: { lineStyle: { color: c.grid } } },
    series,
  };
}
