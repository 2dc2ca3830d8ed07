// Entry point: everything a page does beyond HTML. Each part lives in a file of its own.
import { showAddress } from "./address.js";
import { initBulk } from "./bulk.js";
import { initCharts } from "./charts/base.js";
import { initCopy } from "./copy.js";
import { initDialogs, openDialog, toggleNav } from "./dialogs.js";
import { initEntryChain, readChain } from "./entry_chain.js";
import { initFinder } from "./finder.js";
import { initForms } from "./forms.js";
import { initMirrors } from "./mirror.js";
import { initPrivacy, toggleColours, togglePrivate } from "./privacy.js";
import { initShortcuts, toggleShortcuts } from "./shortcuts.js";
import { initTables } from "./tables.js";
import { cycleTheme, initTheme } from "./theme.js";
import { initToasts } from "./toast.js";

// All groups of a long form at once: open while any is folded, else folded.
function unfoldGroups() {
  const groups = [...document.querySelectorAll("details.group")];
  const folded = groups.some((group) => !group.open);
  for (const group of groups) group.open = folded;
}

const actions = {
  theme: cycleTheme,
  private: togglePrivate,
  "classic-colours": toggleColours,
  shortcuts: toggleShortcuts,
  finder: () => openDialog("finder-dialog"),
  help: () => openDialog("help-dialog"),
  nav: toggleNav,
  print: () => window.print(),
  unfold: unfoldGroups,
};

document.addEventListener("click", (event) => {
  const trigger = event.target.closest("[data-action]");
  if (trigger) actions[trigger.dataset.action]?.();
});

initTheme();
initPrivacy();
initDialogs();
initShortcuts(actions);
initFinder();
initToasts();
initCopy();
initForms();
initBulk();
initMirrors();
initEntryChain();
initTables(document);
initCharts(document);
document.addEventListener("htmx:afterSettle", (event) => {
  initTables(document);
  initCharts(event.target.isConnected ? event.target : document);
  readChain(event.target);
  showAddress(event.target);
});
