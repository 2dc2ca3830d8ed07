// Finds chart holders, reads their JSON, draws them, and recolours them with the theme.
import { payoffOption } from "./payoff.js";
import { linesOption } from "./lines.js";

const builders = { payoff: payoffOption, lines: linesOption };
const drawn = new Map();

export function colour(name) {
  // A probe resolves var() and color-mix() to a colour ECharts understands.
  const probe = document.createElement("span");
  probe.className = "visually-hidden";
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function palette() {
  return {
    ink: colour("--ink"), soft: colour("--ink-soft"), grid: colour("--chart-grid"), card: colour("--card"),
    gain: colour("--gain"), loss: colour("--loss"), gainWash: colour("--gain-wash"),
    lossWash: colour("--loss-wash"), spot: colour("--chart-spot"),
  };
}

function draw(holder) {
  const source = document.getElementById(holder.dataset.source);
  const build = builders[holder.dataset.chart];
  if (!source || !build) return;
  const chart = window.echarts.init(holder, null, { renderer: "svg" });
  chart.setOption(build(JSON.parse(source.textContent), palette()));
  drawn.set(holder, chart);
}

export function initCharts(scope) {
  for (const [holder, chart] of drawn) {
    if (!holder.isConnected) { chart.dispose(); drawn.delete(holder); }
  }
  for (const holder of scope.querySelectorAll("[data-chart]")) {
    if (!drawn.has(holder)) draw(holder);
  }
}

export function recolourCharts() {
  for (const [holder, chart] of drawn) {
    const source = document.getElementById(holder.dataset.source);
    chart.setOption(builders[holder.dataset.chart](JSON.parse(source.textContent), palette()), true);
  }
}

addEventListener("resize", () => { for (const chart of drawn.values()) chart.resize(); });
