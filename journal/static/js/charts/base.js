// Finds chart holders, reads their JSON, draws them, and redraws with theme, privacy and size.
// <div class="chart" data-chart="payoff" data-chart-src="id of the JSON script"></div>
import { heatmapOption } from "./heatmap.js";
import { linesOption } from "./lines.js";
import { payoffOption } from "./payoff.js";
import { ribbonOption } from "./ribbon.js";
import { smileOption } from "./smile.js";
import { termCurveOption } from "./term_curve.js";
import { waterfallOption } from "./waterfall.js";

const builders = {
  payoff: payoffOption,
  lines: linesOption,
  term_curve: termCurveOption,
  smile: smileOption,
  heatmap: heatmapOption,
  waterfall: waterfallOption,
  ribbon: ribbonOption,
};
const drawn = new Map();
let library = null;

// A page without a chart never loads the library.
function charts() {
  library ??= new Promise((resolve, reject) => {
    if (window.echarts) {
      resolve(window.echarts);
      return;
    }
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="charts-src"]').content;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => {
      library = null;
      reject(new Error("The chart library did not load."));
    };
    document.head.append(script);
  });
  return library;
}

// A probe resolves var() and color-mix() to a colour the canvas or SVG understands.
function resolver() {
  const probe = document.createElement("span");
  probe.className = "visually-hidden";
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  return { colour, font: getComputedStyle(probe).fontFamily, done: () => probe.remove() };
}

export function palette() {
  const { colour, font, done } = resolver();
  const c = {
    font,
    ink: colour("--ink"),
    soft: colour("--ink-soft"),
    grid: colour("--chart-grid"),
    card: colour("--card"),
    strong: colour("--line-strong"),
    gain: colour("--gain"),
    loss: colour("--loss"),
    gainWash: colour("--gain-wash"),
    lossWash: colour("--loss-wash"),
    spot: colour("--chart-spot"),
    third: colour("--chart-3"),
    fourth: colour("--chart-4"),
  };
  done();
  return { ...c, series: [c.gain, c.loss, c.third, c.fourth, c.soft] };
}

function option(holder, colours) {
  const source = document.getElementById(holder.dataset.chartSrc || holder.dataset.source);
  const build = builders[holder.dataset.chart];
  if (!source || !build) return null;
  return build(JSON.parse(source.textContent), colours, {
    width: holder.clientWidth,
    height: holder.clientHeight,
  });
}

// Some charts know their own height; the page's policy allows setting it from script.
function show(holder, chart, made) {
  const { height, ...rest } = made;
  if (height && holder.clientHeight !== height) {
    holder.style.height = `${height}px`;
    chart.resize();
  }
  chart.setOption(rest, true);
}

// Charts of one group show the same moment: pointing at one points at all.
function link(echarts, holder, chart) {
  const { group } = JSON.parse(
    document.getElementById(holder.dataset.chartSrc || holder.dataset.source).textContent,
  );
  if (!group) return;
  chart.group = group;
  echarts.connect(group);
}

function redraw(holder, colours) {
  const made = option(holder, colours);
  if (made) show(holder, drawn.get(holder), made);
}

function forgetGone() {
  for (const [holder, chart] of drawn) {
    if (!holder.isConnected) {
      sizes.unobserve(holder);
      chart.dispose();
      drawn.delete(holder);
    }
  }
}

const sizes = new ResizeObserver((entries) => {
  const colours = palette();
  for (const { target } of entries) {
    if (!drawn.has(target) || !target.clientWidth) continue;
    drawn.get(target).resize();
    redraw(target, colours);
  }
});

export async function initCharts(scope) {
  forgetGone();
  const holders = [...scope.querySelectorAll("[data-chart]")].filter((holder) => !drawn.has(holder));
  if (!holders.length) return;
  const echarts = await charts();
  const colours = palette();
  for (const holder of holders) {
    if (!holder.isConnected || drawn.has(holder)) continue;
    const made = option(holder, colours);
    if (!made) continue;
    const chart = echarts.init(holder, null, { renderer: "svg" });
    show(holder, chart, made);
    link(echarts, holder, chart);
    drawn.set(holder, chart);
    sizes.observe(holder);
  }
}

export function recolourCharts() {
  forgetGone();
  const colours = palette();
  for (const holder of drawn.keys()) redraw(holder, colours);
}

document.addEventListener("appearance", recolourCharts);
