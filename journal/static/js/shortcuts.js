// Keys: Ctrl-K or Cmd-K, "?", "g" followed by the letter a link carries in data-key, and those of lists.
// They rest in fields, in open dialogs, and when switched off.
import { listKey } from "./list_keys.js";
import { load, save } from "./storage.js";

const FIELD = "input, textarea, select, [contenteditable]";
let waiting = 0;

export function toggleShortcuts() {
  save("shortcuts", load("shortcuts") === "off" ? null : "off");
  label();
}

function label() {
  for (const button of document.querySelectorAll('[data-action="shortcuts"]')) {
    button.setAttribute("aria-pressed", String(load("shortcuts") !== "off"));
  }
}

export function initShortcuts(actions) {
  label();
  document.addEventListener("keydown", (event) => {
    if (load("shortcuts") === "off" || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      actions.finder();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(FIELD)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") {
      event.preventDefault();
      actions.help();
    } else if (event.key === "g") {
      waiting = Date.now();
    } else if (Date.now() - waiting < 1200) {
      waiting = 0;
      document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    } else if (listKey(event.key)) {
      event.preventDefault();
    }
  });
}
