// P&L at expiry and today over the underlying: spot, break-evens, short strikes, one sd,
// the expiry line in gain above zero and in loss below it.
import { money, points } from "./format.js";
import { axis, frame, legend, tooltip, valueAxis } from "./parts.js";

// Cuts a line at its zero crossings, so that each side can be shaded in its own colour.
export function withZeros(prices, pnl) {
  const found = [];
  prices.forEach((price, i) => {
    found.push([price, pnl[i]]);
    const next = pnl[i + 1];
    if (next !== undefined && pnl[i] * next < 0) {
      found.push([price + ((prices[i + 1] - price) * pnl[i]) / (pnl[i] - next), 0]);
    }
  });
  return found;
}

function mark(at, label, c, more = {}) {
  return {
    xAxis: at,
    lineStyle: { color: more.colour || c.soft, type: more.type || "dashed", width: more.width || 1 },
    label: {
      show: Boolean(label),
      formatter: label,
      color: more.ink || c.ink,
      fontSize: 11,
      position: more.position || "end",
      distance: more.distance ?? 4,
      rotate: 0,
      backgroundColor: c.card,
      padding: [1, 3],
    },
  };
}

function area(name, data, colour) {
  return {
    name,
    type: "line",
    silent: true,
    showSymbol: false,
    data,
    lineStyle: { width: 0 },
    itemStyle: { color: colour },
    areaStyle: { color: colour, opacity: 0.16, origin: 0 },
    tooltip: { show: false },
    z: 1,
  };
}

// Labels move to a further row where they would touch. They stand over their line (`before` half
// of their width) or begin at it (`before` none).
function rows(marks, low, high, width, { most = 3, before = 0.5 } = {}) {
  const ends = Array(most).fill(-Infinity);
  for (const item of [...marks].sort((a, b) => a.at - b.at)) {
    const wide = item.label.length * 6.4 + 10;
    const x = ((item.at - low) / (high - low)) * width;
    let row = ends.findIndex((end) => x - before * wide > end);
    if (row < 0) row = most - 1;
    ends[row] = x + (1 - before) * wide;
    item.row = row;
  }
  return Math.max(0, ...marks.map((item) => item.row ?? 0));
}

export function payoffOption(data, c, { width = 800 } = {}) {
  const expiry = data.expiry_pnl || data.expiry;
  const today = data.today_pnl || data.today;
  const label = data.underlying_label || data.underlying;
  const nowName = data.today_name || "Today";
  const { prices } = data;
  const low = prices[0];
  const high = prices[prices.length - 1];
  const inside = (at) => at !== null && at !== undefined && at >= low && at <= high;
  const line = withZeros(prices, expiry);
  const marks = [];
  if (inside(data.spot))
    marks.push({
      at: data.spot,
      label: `now ${points(data.spot, 2, true)}`,
      more: { colour: c.spot, type: "solid", width: 1.5 },
    });
  for (const at of data.break_evens || [])
    if (inside(at))
      marks.push({ at, label: `BE ${points(at, 2, true)}`, more: { colour: c.ink, type: "dashed" } });
  const deep = rows(marks, low, high, Math.max(200, width - 90));
  for (const item of marks) item.more.distance = 4 + item.row * 16;
  const strikes = (data.strikes || [])
    .filter(({ strike }) => inside(strike))
    .map(({ strike, label: text }) => ({ at: strike, label: text }));
  rows(strikes, low, high, Math.max(200, width - 90), { most: 4, before: 0 });
  const lines = [
    ...marks.map((item) => mark(item.at, item.label, c, item.more)),
    ...strikes.map(({ at, label: text, row }) =>
      mark(at, text, c, {
        colour: c.strong,
        type: "dotted",
        position: "insideStartTop",
        distance: [3, 3 + row * 16],
        ink: c.soft,
      }),
    ),
    { yAxis: 0, lineStyle: { color: c.strong, type: "solid", width: 1 }, label: { show: false } },
  ];
  const band = data.one_sd
    ? {
        silent: true,
        itemStyle: { color: c.soft, opacity: 0.1 },
        label: { show: width > 520, color: c.soft, fontSize: 11, position: "insideBottomLeft" },
        data: [
          [
            { xAxis: Math.max(low, data.one_sd[0]), name: "±1 sd to expiry" },
            { xAxis: Math.min(high, data.one_sd[1]) },
          ],
        ],
      }
    : undefined;
  const series = [
    area(
      "Gain",
      line.map(([x, y]) => [x, Math.max(y, 0)]),
      c.gain,
    ),
    area(
      "Loss",
      line.map(([x, y]) => [x, Math.min(y, 0)]),
      c.loss,
    ),
    {
      name: "At expiry",
      type: "line",
      showSymbol: false,
      symbol: "circle",
      data: line,
      z: 3,
      lineStyle: { width: 2.25, color: c.ink },
      itemStyle: { color: c.ink },
      markArea: band,
      markLine: { symbol: "none", silent: true, data: lines, animation: false },
    },
  ];
  if (today) {
    series.push({
      name: nowName,
      type: "line",
      showSymbol: false,
      symbol: "circle",
      z: 4,
      data: prices.map((price, i) => [price, today[i]]),
      lineStyle: { width: 2, color: c.third, type: [6, 4] },
      itemStyle: { color: c.third },
    });
  }
  // Further lines in the same axis: the position before an event, or another day and volatility.
  const more = data.more || [];
  for (const other of more) {
    series.push({
      name: other.name,
      type: "line",
      showSymbol: false,
      symbol: "circle",
      z: 5,
      data: prices.map((price, i) => [price, other.pnl[i]]),
      lineStyle: { width: 2, color: c.soft, type: [2, 3] },
      itemStyle: { color: c.soft },
    });
  }
  const names = ["At expiry", ...(today ? [nowName] : []), ...more.map((other) => other.name)];
  return {
    ...frame(c, { top: 46 + deep * 16, bottom: 8 }),
    legend: legend(c, { data: names }),
    tooltip: tooltip(c, {
      formatter: (items) => {
        const shown = items.filter((item) => names.includes(item.seriesName));
        if (!shown.length) return "";
        return [
          `${label} ${points(shown[0].axisValue)}`,
          ...shown.map((item) => `${item.seriesName}  ${money(item.value[1])}`),
        ].join("\n");
      },
    }),
    xAxis: axis(c, "value", {
      min: low,
      max: high,
      name: label,
      splitNumber: width < 520 ? 4 : 8,
      axisLabel: { formatter: (v) => points(v, 0), showMinLabel: false, showMaxLabel: false },
    }),
    yAxis: valueAxis(c, { axisLabel: { formatter: (v) => money(v) } }),
    series,
  };
}
