// A form is sent once: the second click of a double click finds the button resting.
// Buttons with a name keep their value, since they rest only after the form has gone.
export function initForms() {
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented && !event.target.matches("[hx-post], [data-hx-post]")) return;
    if (event.target.method === "dialog") return;
    for (const button of event.target.querySelectorAll("button[type=submit], button:not([type])")) {
      setTimeout(() => {
        button.disabled = true;
      }, 0);
      setTimeout(() => {
        button.disabled = false;
      }, 4000);
    }
  });
  // A page taken from the browser's cache must not come back with resting buttons.
  addEventListener("pageshow", (event) => {
    if (event.persisted)
      for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });
}
