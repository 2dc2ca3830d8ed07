// Native dialogs, the phone's navigation and the user menu.
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("input")?.select();
}

export function toggleNav() {
  const open = document.getElementById("main-nav")?.classList.toggle("open");
  document.querySelector(".nav-toggle")?.setAttribute("aria-expanded", String(Boolean(open)));
}

export function initDialogs() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    else if (event.target instanceof HTMLDialogElement && outside(event)) event.target.close();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest("[data-action]")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
  const named = document.body.dataset.nav;
  if (named) markSection(named);
}

// The section a page belongs to, where its address says another one or none.
function markSection(name) {
  for (const link of document.querySelectorAll('#main-nav [aria-current="true"]'))
    link.removeAttribute("aria-current");
  document
    .querySelector(`#main-nav [data-nav-key="${CSS.escape(name)}"]`)
    ?.setAttribute("aria-current", "true");
}

function outside(event) {
  const box = event.target.getBoundingClientRect();
  return (
    event.clientX < box.left ||
    event.clientX > box.right ||
    event.clientY < box.top ||
    event.clientY > box.bottom
  );
}
