// The finder's results are links and buttons from the server; arrows walk them, Enter opens the first.
// Results of an earlier search are never opened: Enter then waits for those of what is typed.
export function initFinder() {
  const dialog = document.getElementById("finder-dialog");
  const input = dialog?.querySelector("input[type=search]");
  if (!input) return;
  const hits = () => [...dialog.querySelectorAll("#finder-results .hit")];
  const isCurrent = () => dialog.querySelector("[data-found-for]")?.dataset.foundFor === input.value;
  let openWhenFound = false;

  dialog.addEventListener("keydown", (event) => {
    const found = hits();
    const at = found.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target === input) {
      if (isCurrent()) found[0]?.click();
      else openWhenFound = true;
    } else if (!found.length) return;
    else if (event.key === "ArrowDown") found[Math.min(at + 1, found.length - 1)].focus();
    else if (event.key === "ArrowUp") (at > 0 ? found[at - 1] : input).focus();
    else return;
    event.preventDefault();
  });
  input.addEventListener("input", () => {
    openWhenFound = false;
  });
  dialog.addEventListener("htmx:afterSettle", () => {
    if (!openWhenFound || !isCurrent()) return;
    openWhenFound = false;
    hits()[0]?.click();
  });
  dialog.querySelector("form")?.addEventListener("submit", (event) => event.preventDefault());
}
