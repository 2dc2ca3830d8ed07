// A table wider than its box can be scrolled by keyboard: the box takes focus, and has a name.
function update(box) {
  const wide = box.scrollWidth > box.clientWidth + 1;
  if (wide && !box.hasAttribute("tabindex")) {
    box.tabIndex = 0;
    if (!box.hasAttribute("role")) {
      box.setAttribute("role", "region");
      const heading = box.closest("section, .panel, details")?.querySelector("h2, h3, summary, caption");
      box.setAttribute("aria-label", `${heading?.textContent.trim() || "Table"}, scrolls sideways`);
    }
    box.dataset.scrolls = "";
  } else if (!wide && "scrolls" in box.dataset) {
    box.removeAttribute("tabindex");
    delete box.dataset.scrolls;
  }
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) update(target);
});

export function initTables(scope) {
  for (const box of scope.querySelectorAll(".scroll-x")) {
    if (box.dataset.watched !== undefined) continue;
    box.dataset.watched = "";
    sizes.observe(box);
    update(box);
  }
}
