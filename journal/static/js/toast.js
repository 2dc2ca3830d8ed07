// Messages at the lower edge. Success leaves after ten seconds unless watched, after thirty when it can be
// undone; trouble stays.
// A refresh that failed keeps what was there, marks it stale, and offers to try again.
const STAY = 10_000;
const STAY_WITH_UNDO = 30_000;
const ICONS = {
  danger: "x-octagon",
  warning: "exclamation-triangle",
  success: "check-circle",
  info: "info-circle",
};

function region() {
  return document.getElementById("toasts");
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${region().dataset.icons}#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function button(text, className, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.append(text);
  made.addEventListener("click", press);
  return made;
}

export function toast(text, { kind = "info", key = "", action = null } = {}) {
  const holder = region();
  if (!holder) return null;
  for (const old of holder.children) if (key && old.dataset.key === key) old.remove();
  const item = document.createElement("div");
  item.className = `alert alert-${kind} toast-item`;
  item.dataset.key = key;
  item.setAttribute("role", kind === "danger" ? "alert" : "status");
  const body = document.createElement("div");
  body.className = "body";
  const line = document.createElement("div");
  line.textContent = text;
  body.append(line);
  if (action)
    body.append(
      button(action.text, "btn btn-sm btn-outline-secondary", () => {
        item.remove();
        action.press();
      }),
    );
  const close = button(icon("x-lg"), "tool", () => item.remove());
  close.setAttribute("aria-label", "Dismiss");
  item.append(icon(ICONS[kind] || "info-circle"), body, close);
  holder.append(item);
  if (kind === "success" || kind === "info") leaveLater(item);
  return item;
}

function leaveLater(item) {
  const stay = item.querySelector("[data-undo]") ? STAY_WITH_UNDO : STAY;
  let timer = setTimeout(() => item.remove(), stay);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(() => item.remove(), stay);
  };
  item.addEventListener("mouseenter", hold);
  item.addEventListener("focusin", hold);
  item.addEventListener("mouseleave", release);
  item.addEventListener("focusout", release);
}

function failed(event, reason) {
  const { elt, target, xhr } = event.detail;
  target?.classList.add("is-stale");
  const id = xhr?.getResponseHeader?.("X-Request-ID");
  toast(`${reason}${id ? ` Reference ${id}.` : ""} What you see is from before.`, {
    kind: "danger",
    key: "refresh",
    action: { text: "Retry", press: () => location.reload() },
  });
  elt?.removeAttribute("aria-busy");
}

export function initToasts() {
  const holder = region();
  if (!holder) return;
  holder.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".toast-item")?.remove();
  });
  for (const item of holder.querySelectorAll(".alert-success, .alert-info")) leaveLater(item);
  document.addEventListener("htmx:responseError", (event) =>
    failed(event, `The server answered ${event.detail.xhr.status}.`),
  );
  document.addEventListener("htmx:sendError", (event) => failed(event, "The server cannot be reached."));
  document.addEventListener("htmx:timeout", (event) => failed(event, "The server took too long."));
  document.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.target?.classList.remove("is-stale");
    // A session that ended answers a fragment with the whole sign-in page.
    const to = new URL(event.detail.xhr.responseURL || location.href).pathname;
    const signIn = document.body.dataset.signIn;
    if (signIn && to === signIn && location.pathname !== signIn) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
}
