// A price with the regime of each session behind it.
// {days: ["2020-03-16", …], closes: […], codes: […], names: […], regimes: […], log, y_label}
import { points } from "./format.js";
import { axis, frame, legend, legendRoom, tooltip, valueAxis } from "./parts.js";

// The deeper the expansion, the stronger the tone; quiet regimes have colours of their own, calm has none.
const TONES = {
  calm: null,
  unknown: ["soft", 0.16],
  compressed: ["third", 0.2],
  rv_collapse: ["fourth", 0.4],
  isolated_expansion: ["loss", 0.2],
  persistent_expansion: ["loss", 0.38],
  regime_shift: ["loss", 0.62],
};

function runs(codes) {
  const found = [];
  codes.forEach((code, at) => {
    const last = found.at(-1);
    if (last && last.code === code) last.to = at;
    else found.push({ code, from: at, to: at });
  });
  return found;
}

export function ribbonOption(data, c, { width = 800 } = {}) {
  const all = runs(data.codes);
  const bands = data.regimes
    .map((regime, code) => {
      const tone = TONES[regime];
      const areas = tone ? all.filter((run) => run.code === code) : [];
      return { name: data.names[code], colour: tone ? c[tone[0]] : null, opacity: tone ? tone[1] : 0, areas };
    })
    .filter((band) => band.areas.length);
  const last = data.days.length - 1;
  const names = bands.map((band) => band.name);
  return {
    ...frame(c, { top: legendRoom(names, width), bottom: 8 }),
    legend: legend(c, { data: names, icon: "rect" }),
    tooltip: tooltip(c, {
      formatter: (items) => {
        const at = items[0].dataIndex;
        return `${data.days[at]}\nSPX ${points(data.closes[at], 2, true)}\n${data.names[data.codes[at]]}`;
      },
    }),
    xAxis: axis(c, "category", {
      data: data.days,
      boundaryGap: false,
      axisLabel: { alignMinLabel: "left", alignMaxLabel: "right" },
    }),
    yAxis: valueAxis(c, {
      ...(data.log ? { type: "log", logBase: 2 } : {}),
      scale: true,
      name: data.y_label,
      nameGap: 40,
      axisLabel: { formatter: (v) => points(v, 0) },
    }),
    series: [
      {
        name: "SPX",
        type: "line",
        showSymbol: false,
        data: data.closes,
        connectNulls: false,
        lineStyle: { color: c.ink, width: 1.4 },
        itemStyle: { color: c.ink },
        z: 3,
      },
      ...bands.map((band) => ({
        name: band.name,
        type: "line",
        data: [],
        itemStyle: { color: band.colour, opacity: band.opacity },
        lineStyle: { width: 0 },
        markArea: {
          silent: true,
          itemStyle: { color: band.colour, opacity: band.opacity },
          data: band.areas.map((run) => [{ xAxis: run.from }, { xAxis: Math.min(run.to + 1, last) }]),
        },
      })),
    ],
  };
}
