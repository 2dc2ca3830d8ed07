// A slider beside a number field: moving either moves the other, and only the field is sent.
export function initMirrors() {
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement)) return;
    const other = target.dataset.mirrors
      ? document.querySelector(target.dataset.mirrors)
      : document.querySelector(`[data-mirrors="#${target.id}"]`);
    if (other && target.id) other.value = target.value;
  });
}
