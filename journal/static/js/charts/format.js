// Figures as the pages write them: true minus, explicit plus, grouped, hidden when asked.
const MINUS = "\u2212";

function known(value) {
  return value !== null && value !== undefined && value !== "" && Number.isFinite(Number(value));
}
function sign(value) {
  return value < 0 ? MINUS : value > 0 ? "+" : "";
}

function grouped(value, least, most) {
  const options = { minimumFractionDigits: least, maximumFractionDigits: most };
  return Math.abs(value).toLocaleString("en-US", options);
}

export function isPrivate() {
  return document.documentElement.classList.contains("private");
}

export function money(value, digits = 0) {
  if (!known(value)) return "unknown";
  if (isPrivate()) return "•••";
  const places = typeof digits === "number" ? digits : 0;
  const rounded = Number(Number(value).toFixed(places));
  return `${sign(rounded)}$${grouped(rounded, places, places)}`;
}

// A level in dollars: no plus, since it is no gain.
export function dollars(value, digits = 0) {
  return money(value, digits).replace("+", "");
}

export function points(value, digits = 2, fixed = false) {
  if (!known(value)) return "unknown";
  const places = typeof digits === "number" ? digits : 2;
  const rounded = Number(Number(value).toFixed(places));
  return `${rounded < 0 ? MINUS : ""}${grouped(rounded, fixed ? places : 0, places)}`;
}

export function percent(value, digits = 1) {
  return known(value) ? `${points(value, digits)}%` : "unknown";
}

// The unit a chart's JSON names: "pnl" (signed dollars), "usd" (a level), "percent" (already times 100),
// else points.
export function formatter(unit, digits) {
  if (unit === "pnl") return (v) => money(v, digits ?? 0);
  if (unit === "usd") return (v) => dollars(v, digits ?? 0);
  if (unit === "percent") return (v) => percent(v, digits ?? 1);
  return (v) => points(v, digits ?? 2);
}
