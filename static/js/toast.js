/** Toasts: what just happened. Good news leaves by itself, trouble stays until it is closed. */

const STAY_MS = 6000;
const GONE_AFTER_MS = 400;

function leave(toast) {
  toast.dataset.leaving = "";
  toast.addEventListener("transitionend", () => toast.remove(), { once: true });
  setTimeout(() => toast.remove(), GONE_AFTER_MS);
}

function schedule(toast) {
  if (!toast.matches(".toast--error, .toast--warning")) setTimeout(() => leave(toast), STAY_MS);
}

/**
 * Say something, in place of what was said before it.
 * @param {string} text
 * @param {"info"|"error"} level
 */
export function say(text, level = "info") {
  const toast = document.querySelector("[data-toast-template]").content.firstElementChild.cloneNode(true);
  toast.className = `toast toast--${level}`;
  toast.querySelector("p").textContent = text;
  document.querySelector("[data-toasts]").replaceChildren(toast);
  schedule(toast);
}

/** Take care of the toasts that came with the page, and of closing. */
export function listenForToasts() {
  document.querySelectorAll("[data-toast]").forEach(schedule);
  document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove());
}
