// Choosing rows of a list and doing one thing to all of them. The bar says how many rows that is;
// the server refuses when its own count differs.
function parts(form) {
  return {
    boxes: [...form.querySelectorAll("input[name=id]")],
    every: form.querySelector("[data-pick-all]"),
    count: form.querySelector("[data-bulk-count]"),
    matching: form.querySelector("[data-pick-matching]"),
    all: form.elements.all,
    expected: form.elements.expected,
    go: form.querySelector("[data-bulk-go]"),
    action: form.querySelector("[data-bulk-action]"),
  };
}

function update(form) {
  const { boxes, every, count, matching, all, expected, go, action } = parts(form);
  if (!count) return;
  const chosen = boxes.filter((box) => box.checked).length;
  const whole = all.value === "1";
  const number = whole ? Number(form.dataset.matching) : chosen;
  expected.value = String(number);
  count.textContent = number
    ? `${number.toLocaleString("en-US")} trade${number === 1 ? "" : "s"} chosen`
    : "No trade chosen";
  go.disabled = !number;
  if (every) {
    every.checked = boxes.length > 0 && chosen === boxes.length;
    every.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  matching?.setAttribute("aria-pressed", String(whole));
  for (const box of boxes) box.closest("tr").classList.toggle("chosen", box.checked);
  for (const field of form.querySelectorAll("[data-for]")) field.hidden = field.dataset.for !== action.value;
}

export function initBulk() {
  for (const form of document.querySelectorAll("form[data-bulk]")) {
    form.addEventListener("change", (event) => {
      const { boxes, every, all } = parts(form);
      if (event.target === every) for (const box of boxes) box.checked = every.checked;
      if (event.target === every || event.target.name === "id") all.value = "";
      update(form);
    });
    form.addEventListener("click", (event) => {
      if (!event.target.closest("[data-pick-matching]")) return;
      const { boxes, all } = parts(form);
      all.value = all.value === "1" ? "" : "1";
      for (const box of boxes) box.checked = all.value === "1";
      update(form);
    });
    update(form);
  }
  // A page that comes back from the browser's cache shows what it will send.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-bulk]")) update(form);
  });
}
