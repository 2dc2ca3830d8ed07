// The option chain beside the entry form: what the server picked is filled in, steppers move along listed
// strikes. <script id="chain-strikes">{strikes, forward}</script>,
// <script id="chain-fill">{set: {id: value}, offered: {…}}</script>
let listed = null;

function read(id) {
  const source = document.getElementById(id);
  return source ? JSON.parse(source.textContent) : null;
}

// What is filled in is filled in once: settling tells of every new element.
function take(id) {
  const found = read(id);
  document.getElementById(id)?.remove();
  return found;
}

function put(id, value) {
  const input = document.getElementById(id);
  if (input) input.value = value;
  return input;
}

function fill({ set, offered }) {
  for (const [id, value] of Object.entries(set)) put(id, value);
  for (const [id, value] of Object.entries(offered)) {
    const input = document.getElementById(id);
    // A price that was typed is the trader's own; one offered before gives way to the new one.
    if (input && (!input.value || input.value === input.dataset.offered)) {
      input.value = value;
      input.dataset.offered = value;
    }
  }
  document.getElementById(Object.keys(set)[0])?.dispatchEvent(new Event("input", { bubbles: true }));
}

// The next listed strike above or below; from an empty field the one nearest to the forward.
function neighbour(value, direction) {
  const { strikes, forward } = listed;
  if (!Number.isFinite(value)) {
    return strikes.reduce((best, one) => (Math.abs(one - forward) < Math.abs(best - forward) ? one : best));
  }
  return direction > 0 ? strikes.find((one) => one > value) : strikes.findLast((one) => one < value);
}

function step(input, direction) {
  const next = neighbour(Number.parseFloat(input.value), direction);
  if (next === undefined) return;
  input.value = String(next);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

export function readChain(scope) {
  if (!scope.closest?.("#chain")) return;
  listed = read("chain-strikes");
  if (!listed?.strikes.length) listed = null;
  for (const button of document.querySelectorAll("[data-step]")) {
    button.disabled = !listed;
    button.title = listed ? "" : "No listed strikes of this expiry are loaded";
  }
  const filled = take("chain-fill");
  if (filled) fill(filled);
}

export function initEntryChain() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (button && listed) step(button.parentElement.querySelector("input"), Number(button.dataset.step));
  });
  document.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction || !listed || !event.target.matches(".stepper input")) return;
    event.preventDefault();
    step(event.target, direction);
  });
}
