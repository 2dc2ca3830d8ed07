// Runs before the first paint, so that a stored theme never flashes the other one.
(function () {
  const root = document.documentElement;
  function stored(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }
  const kept = stored("theme");
  const choice = kept === "light" || kept === "dark" ? kept : null;
  if (choice) root.setAttribute("data-theme-choice", choice);
  const dark = choice ? choice === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  root.classList.add("js");
  if (stored("private") === "1") root.classList.add("private");
  if (stored("classic-colours") === "1") root.classList.add("classic-colours");
})();
