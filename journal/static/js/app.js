// Entry point: theme, privacy, shortcuts, finder, charts.
import { initCharts, recolourCharts } from "./charts/base.js";

const root = document.documentElement;

function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch { /* storage may be off; the choice then lasts for the page */ }
}

function toggleTheme() {
  const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
  root.setAttribute("data-bs-theme", next);
  remember("theme", next);
  recolourCharts();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  if (localStorage.getItem("theme")) return;
  root.setAttribute("data-bs-theme", event.matches ? "dark" : "light");
  recolourCharts();
});

function toggleClass(name) {
  remember(name, root.classList.toggle(name) ? "1" : null);
  recolourCharts();
}

const actions = {
  theme: toggleTheme,
  private: () => toggleClass("private"),
  "classic-colours": () => toggleClass("classic-colours"),
  finder: () => openDialog("finder-dialog"),
  help: () => openDialog("help-dialog"),
  print: () => window.print(),
};

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) {
    dialog.showModal();
    dialog.querySelector("input")?.focus();
  }
}

document.addEventListener("click", (event) => {
  const trigger = event.target.closest("[data-action]");
  if (trigger && actions[trigger.dataset.action]) actions[trigger.dataset.action]();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy);
  const dialog = event.target.closest("dialog");
  if (event.target.matches("[data-close]")) dialog?.close();
});

const keys = { t: "/trades/", h: "/hedge/", m: "/market/", r: "/reports/", n: "/trades/new/" };
let pending = false;

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    actions.finder();
    return;
  }
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem("shortcuts") === "off") return;
  if (event.key === "?") actions.help();
  else if (event.key === "g") { pending = true; setTimeout(() => { pending = false; }, 1200); }
  else if (pending && keys[event.key]) location.assign(keys[event.key]);
});

// A form is sent once: the second click of a double click finds the button resting.
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button[type=submit], button:not([type])")) {
    setTimeout(() => { button.disabled = true; }, 0);
    setTimeout(() => { button.disabled = false; }, 4000);
  }
});

initCharts(document);
document.addEventListener("htmx:afterSettle", (event) => initCharts(event.target));
