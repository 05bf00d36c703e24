/** The last ten verdicts as dots, and the countdown of the one that can still be taken back. */
import { t } from "./texts.js";

const LENGTH = 10;
const TICK_MS = 250;
const RING = 2 * Math.PI * 6;

export class Trail {
  #list;
  #button;
  #time;
  #ring;
  #steps = [];
  #onUndo;

  /**
   * @param {HTMLElement} root the desk
   * @param {(step: object) => void} onUndo
   */
  constructor(root, onUndo) {
    this.#list = root.querySelector("[data-trail]");
    this.#button = root.querySelector("[data-undo]");
    this.#time = root.querySelector("[data-undo-time]");
    this.#ring = root.querySelector("[data-undo-ring]");
    this.#onUndo = onUndo;
    this.#ring.setAttribute("stroke-dasharray", RING);
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    setInterval(() => this.#tick(), TICK_MS);
    this.#draw();
  }

  /**
   * Add a verdict.
   * @param {{item: object, labels: object[], answer: string, words: string, undoSeconds: number}} step
   */
  add(step) {
    step.state = "sending";
    step.until = performance.now() + step.undoSeconds * 1000;
    this.#steps = [...this.#steps, step].slice(-LENGTH);
    this.#draw();
  }

  /** The server has it; it can be taken back for `seconds` from now through `link`. */
  acknowledged(step, seconds, link) {
    Object.assign(step, { state: "saved", until: performance.now() + seconds * 1000, total: seconds, link });
    this.#draw();
  }

  /** The server refused it. */
  refused(step) {
    step.state = "refused";
    this.#draw();
  }

  remove(step) {
    this.#steps = this.#steps.filter((other) => other !== step);
    this.#draw();
  }

  /** @returns {object|null} the last verdict that can still be taken back */
  get undoable() {
    const now = performance.now();
    return this.#steps.findLast((step) => step.state === "sending" || (step.state === "saved" && step.link && step.until > now)) || null;
  }

  #clicked(event) {
    const index = event.target.closest("[data-step]")?.dataset.step;
    if (index !== undefined && this.#steps[index] === this.undoable) this.#onUndo(this.#steps[index]);
  }

  #dot(step, index) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `trail__dot trail__dot--${step.answer}`;
    button.dataset.step = index;
    button.dataset.state = step.state;
    button.title = step === this.undoable ? t("trail-undo", { what: step.words }) : step.words;
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-disabled", String(step !== this.undoable));
    const entry = document.createElement("li");
    entry.append(button);
    return entry;
  }

  #draw() {
    this.#list.replaceChildren(...this.#steps.map((step, index) => this.#dot(step, index)));
    this.#tick();
  }

  #tick() {
    const step = this.undoable;
    this.#button.setAttribute("aria-disabled", String(!step));
    const left = step && step.state === "saved" ? (step.until - performance.now()) / 1000 : 0;
    this.#time.textContent = left > 0 ? t("undo-left", { n: Math.ceil(left) }) : "";
    this.#ring.setAttribute("stroke-dashoffset", String(RING * (1 - (left > 0 ? left / step.total : 0))));
  }
}
