// Keys of a list: j and k walk its rows, x chooses one, b goes to the bar, u undoes, / searches.
// Enter opens the row, since the row's link has the focus.
function rows() {
  return [...document.querySelectorAll("a[data-row]")];
}

function walk(step) {
  const links = rows();
  if (!links.length) return;
  const row = document.activeElement?.closest?.("tr");
  const at = links.findIndex((link) => link.closest("tr") === row);
  const next = links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function choose() {
  const box = document.activeElement?.closest?.("tr")?.querySelector("input[name=id]");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function press(selector, how) {
  document.querySelector(selector)?.[how]();
}

const keys = {
  j: () => walk(1),
  k: () => walk(-1),
  x: choose,
  a: () => press("[data-pick-matching]", "click"),
  b: () => press("[data-bulk-action]", "focus"),
  u: () => press("[data-list-undo]", "click"),
  e: () => press("[data-list-csv]", "click"),
  "/": () => press("[data-list-search]", "focus"),
};

export function listKey(key) {
  if (!rows().length && !document.querySelector("[data-list-search]")) return false;
  if (!Object.hasOwn(keys, key)) return false;
  keys[key]();
  return true;
}
