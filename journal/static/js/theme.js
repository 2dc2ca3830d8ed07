// Theme: system, light or dark. Announces every change as "appearance", charts listen.
import { save } from "./storage.js";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

export function announce() {
  document.dispatchEvent(new CustomEvent("appearance"));
}

function choice() {
  return root.dataset.themeChoice || "system";
}

export function setTheme(next) {
  if (next === "system") delete root.dataset.themeChoice;
  else root.dataset.themeChoice = next;
  save("theme", next === "system" ? null : next);
  apply();
}

// The first press always changes what is seen: the opposite of the system comes first.
export function cycleTheme() {
  const order = system.matches ? ["system", "light", "dark"] : ["system", "dark", "light"];
  setTheme(order[(order.indexOf(choice()) + 1) % 3]);
}

function apply() {
  const dark = choice() === "system" ? system.matches : choice() === "dark";
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  label();
  announce();
}

function label() {
  for (const button of document.querySelectorAll('[data-action="theme"]')) {
    const text = `Theme: ${choice()}`;
    button.setAttribute("aria-label", text);
    button.title = text;
  }
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === choice()));
  }
}

export function initTheme() {
  system.addEventListener("change", () => {
    if (choice() === "system") apply();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (button) setTheme(button.dataset.themeSet);
  });
  label();
}
