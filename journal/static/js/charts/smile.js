// Volatility smile: a bar from bid to ask at each strike, and the fitted line.
// {quotes: [[strike, bid_vol, ask_vol], …], fit: [[strike, vol], …], forward, x_label, y_label}
import { percent, points } from "./format.js";
import { axis, frame, legend, tooltip, valueAxis } from "./parts.js";

function bar(params, api) {
  const x = api.value(0);
  const low = api.coord([x, api.value(1)]);
  const high = api.coord([x, api.value(2)]);
  const style = { stroke: api.visual("color"), lineWidth: 1.25, fill: "none" };
  const cap = (at) => ({
    type: "line",
    shape: { x1: at[0] - 2.5, y1: at[1], x2: at[0] + 2.5, y2: at[1] },
    style,
  });
  return {
    type: "group",
    children: [
      { type: "line", shape: { x1: low[0], y1: low[1], x2: high[0], y2: high[1] }, style },
      cap(low),
      cap(high),
    ],
  };
}

export function smileOption(data, c, { width = 800 } = {}) {
  const forward =
    data.forward === null || data.forward === undefined
      ? undefined
      : {
          symbol: "none",
          silent: true,
          lineStyle: { color: c.spot, type: "dotted", width: 1.5 },
          data: [{ xAxis: data.forward }],
          label: {
            formatter: `forward ${points(data.forward)}`,
            color: c.ink,
            fontSize: 11,
            position: "insideEndTop",
            rotate: 0,
          },
        };
  return {
    ...frame(c, { bottom: 8 }),
    legend: legend(c),
    tooltip: tooltip(c, {
      formatter: (items) =>
        items
          .map((item) =>
            item.seriesName === "Bid to ask"
              ? `quoted ${percent(item.value[1], 2)} to ${percent(item.value[2], 2)}`
              : `strike ${points(item.value[0])}  fit ${percent(item.value[1], 2)}`,
          )
          .join("\n"),
    }),
    xAxis: axis(c, "value", {
      scale: true,
      name: data.x_label || "strike",
      splitNumber: width < 520 ? 4 : 8,
      axisLabel: { formatter: (v) => points(v, 0), showMinLabel: false, showMaxLabel: false },
    }),
    yAxis: valueAxis(c, {
      scale: true,
      name: data.y_label || "implied volatility",
      nameGap: 40,
      axisLabel: { formatter: (v) => percent(v, 1) },
    }),
    series: [
      {
        name: "Bid to ask",
        type: "custom",
        renderItem: bar,
        data: data.quotes,
        itemStyle: { color: c.soft },
        encode: { x: 0, y: [1, 2] },
        z: 1,
      },
      {
        name: "Fit",
        type: "line",
        showSymbol: false,
        data: data.fit,
        lineStyle: { color: c.gain, width: 2.25 },
        itemStyle: { color: c.gain },
        markLine: forward,
        z: 3,
      },
    ],
  };
}
