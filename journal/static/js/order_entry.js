// Order text: an overlay behind the textarea shows the tokens the server marked.
// <div class="order-entry"><div class="order-overlay" aria-hidden="true"></div><textarea></textarea></div>
// A fragment that carries <template data-order-tokens="#textarea-id">…spans…</template> fills the overlay.
function overlayOf(area) { return area.closest(".order-entry")?.querySelector(".order-overlay"); }

export function fillOverlays(scope) {
  for (const source of scope.querySelectorAll?.("template[data-order-tokens]") ?? []) {
    const area = document.querySelector(source.dataset.orderTokens);
    const overlay = area && overlayOf(area);
    // Marks belong to one text: what was typed meanwhile is not marked with old positions.
    if (overlay && source.content.textContent.trim() === area.value.trim()) {
      overlay.replaceChildren(source.content.cloneNode(true));
    }
  }
}

export function initOrderEntry() {
  document.addEventListener("input", (event) => {
    if (event.target.matches(".order-entry textarea")) overlayOf(event.target)?.replaceChildren();
  });
  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.(".order-entry textarea")) {
      const overlay = overlayOf(event.target);
      if (overlay) overlay.scrollTop = event.target.scrollTop;
    }
  }, true);
}
