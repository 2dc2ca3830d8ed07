// Copies the text in data-copy and says so on the button for a moment.
export function initCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return;
    }
    const label = button.querySelector("[data-copy-label]") || button;
    const before = label.textContent;
    if (before === "Copied") return;
    label.textContent = "Copied";
    setTimeout(() => {
      label.textContent = before;
    }, 1500);
  });
}
