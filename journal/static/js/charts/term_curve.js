// Term structure: one point an expiry, today against earlier days, the spot as a level.
import { points } from "./format.js";
import { linesOption } from "./lines.js";

export function termCurveOption(data, c, size) {
  const made = linesOption({ unit: "points", ...data }, c, size);
  if (data.spot !== null && data.spot !== undefined) {
    // A mark line does not widen the axis by itself.
    made.yAxis.axisLabel = { ...made.yAxis.axisLabel, showMaxLabel: false, showMinLabel: false };
    made.yAxis.max = ({ max }) => (data.spot > max ? Math.ceil(data.spot) : null);
    made.yAxis.min = ({ min }) => (data.spot < min ? Math.floor(data.spot) : null);
    made.series[0].markLine = {
      symbol: "none",
      silent: true,
      data: [{ yAxis: data.spot }],
      lineStyle: { color: c.spot, type: "dotted", width: 1.5 },
      label: {
        formatter: `${data.spot_label || "spot"} ${points(data.spot)}`,
        color: c.ink,
        position: "insideEndTop",
        fontSize: 11,
      },
    };
  }
  return made;
}
