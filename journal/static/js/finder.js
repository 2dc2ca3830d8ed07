// The finder's results are links and buttons from the server; arrows walk them, Enter opens the first.
export function initFinder() {
  const dialog = document.getElementById("finder-dialog");
  const input = dialog?.querySelector("input[type=search]");
  if (!input) return;
  const links = () => [...dialog.querySelectorAll("#finder-results .hit")];

  dialog.addEventListener("keydown", (event) => {
    const found = links();
    if (!found.length) return;
    const at = found.indexOf(document.activeElement);
    if (event.key === "ArrowDown") found[Math.min(at + 1, found.length - 1)].focus();
    else if (event.key === "ArrowUp") (at > 0 ? found[at - 1] : input).focus();
    else if (event.key === "Enter" && event.target === input) found[0].click();
    else return;
    event.preventDefault();
  });
  dialog.querySelector("form")?.addEventListener("submit", (event) => event.preventDefault());
}
