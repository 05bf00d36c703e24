/** Asks for one line of text before a move that the queue wants a reason for. */
import { t } from "./texts.js";

export class Reason {
  #form;
  #sheets;
  #then = null;

  /**
   * @param {HTMLElement} root the desk
   * @param {import("./sheets.js").Sheets} sheets
   */
  constructor(root, sheets) {
    this.#form = root.querySelector("[data-reason-form]");
    this.#sheets = sheets;
    this.#form.addEventListener("submit", (event) => this.#said(event));
  }

  /**
   * Open the question; whoever closes it has done nothing.
   * @param {string} words what the person is about to do
   * @param {(note: string) => void} then what to do with the reason
   */
  ask(words, then) {
    this.#form.reset();
    this.#then = then;
    this.#form.querySelector("[data-reason-of]").textContent = t("why", { what: words });
    if (this.#sheets.open?.dataset.sheet !== "reason") this.#sheets.toggle("reason");
  }

  #said(event) {
    event.preventDefault();
    const note = this.#form.elements.note.value.trim();
    if (!note) return;
    this.#sheets.close();
    this.#then(note);
  }
}
