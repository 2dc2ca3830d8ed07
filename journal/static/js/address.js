// A fragment that stands for an address of its own (data-address) shows it, so that a reload and a copied
// link give the same. htmx would keep a copy of the whole page for that, which the content policy refuses.
export function showAddress(scope) {
  const shown = scope.closest?.("[data-address]") ?? scope.querySelector?.("[data-address]");
  if (shown) history.replaceState(history.state, "", shown.dataset.address);
}
