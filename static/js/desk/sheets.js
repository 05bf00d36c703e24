/** Inline panels of the desk (help, guide, adjust, escalate): one open at a time, closed by Escape or their own key. */
import { getFragment, parseFragment } from "../http.js";

export class Sheets {
  #root;

  /** @param {HTMLElement} root the desk; its panels are `[data-sheet="name"]` */
  constructor(root) {
    this.#root = root;
    root.addEventListener("click", (event) => event.target.closest("[data-sheet-close]") && this.close());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target.closest("[data-sheet]") && this.close()) event.stopPropagation();
    });
  }

  get open() {
    return this.#root.querySelector("[data-sheet]:not([hidden])");
  }

  /** Open a panel, or close it when it is the open one. */
  toggle(name) {
    const sheet = this.#root.querySelector(`[data-sheet="${name}"]`);
    const opens = sheet.hidden;
    this.close();
    if (!opens) return;
    sheet.hidden = false;
    this.#load(sheet.querySelector("[data-load]"));
    (sheet.querySelector("input:checked[type=radio]") || sheet.querySelector("textarea, input, [data-sheet-close]") || sheet).focus({ preventScroll: true });
  }

  /** Fetch what a panel shows as it is now; without an answer, what came with the page stays. */
  async #load(place) {
    if (!place?.dataset.load) return;
    const html = await getFragment(place.dataset.load).catch(() => null);
    if (html !== null) place.replaceChildren(parseFragment(html));
  }

  /** @returns {boolean} whether one was open */
  close() {
    const { open } = this;
    if (!open) return false;
    open.hidden = true;
    this.#root.querySelector("[data-stage]").focus({ preventScroll: true });
    return true;
  }
}
