// Amounts hidden or shown, and gain and loss in blue and orange or in green and red.
import { save } from "./storage.js";
import { announce } from "./theme.js";

const root = document.documentElement;

export function togglePrivate() {
  toggle("private");
}
export function toggleColours() {
  toggle("classic-colours");
}

function toggle(name) {
  save(name, root.classList.toggle(name) ? "1" : null);
  label();
  announce();
}

function label() {
  for (const name of ["private", "classic-colours"]) {
    for (const button of document.querySelectorAll(`[data-action="${name}"]`)) {
      button.setAttribute("aria-pressed", String(root.classList.contains(name)));
    }
  }
}

export function initPrivacy() {
  label();
}
