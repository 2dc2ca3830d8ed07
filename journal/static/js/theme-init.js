// Runs before the first paint, so that a stored theme never flashes the other one.
(function () {
  var root = document.documentElement;
  var stored = null;
  try { stored = localStorage.getItem("theme"); } catch (error) { stored = null; }
  var dark = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  try {
    if (localStorage.getItem("private") === "1") { root.classList.add("private"); }
    if (localStorage.getItem("classic-colours") === "1") { root.classList.add("classic-colours"); }
  } catch (error) { return; }
})();
