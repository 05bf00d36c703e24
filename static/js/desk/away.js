/** Putting an item away without an answer: skip, put off, hand back, escalate. */
import { Problem, post } from "../http.js";
import { say } from "../toast.js";
import { t } from "./texts.js";

const SKIP_MINUTES = 10;
const FORMS = { snooze: "[data-snooze-form]", hand_back: "[data-hand-back-form]", escalate: "[data-escalate-form]" };

export class Away {
  #sheets;
  #hooks;
  #forms = {};

  /**
   * @param {HTMLElement} root the desk
   * @param {import("./sheets.js").Sheets} sheets
   * @param {{current: () => object|null, goOn: () => void, wantsReason: (move: string) => boolean, askFirst: (words: string, then: (note: string) => void) => void,
   *   askAfter: (problem: object, move: string, again: (note: string) => void) => boolean, failed: (detail: string) => void}} hooks
   *   `current` is the item that may be put away, `goOn` shows the next one, `askFirst` asks for a reason before a move and
   *   `askAfter` after it was refused for lack of one
   */
  constructor(root, sheets, hooks) {
    this.#sheets = sheets;
    this.#hooks = hooks;
    for (const [move, selector] of Object.entries(FORMS)) {
      this.#forms[move] = root.querySelector(selector);
      this.#forms[move].addEventListener("submit", (event) => this.#submitted(event, move));
    }
  }

  /** Pass over; it comes back by itself. */
  skip(note = "") {
    const item = this.#hooks.current();
    if (!item) return false;
    if (!note && this.#hooks.wantsReason("skip")) {
      this.#hooks.askFirst(t("word-skip"), (said) => this.#hooks.current() === item && this.skip(said));
      return true;
    }
    this.#put(item, "skip", { minutes: SKIP_MINUTES, ...(note && { note }) }, t("skipped", { n: SKIP_MINUTES }));
    return true;
  }

  /** Open the form of a move: when, to whom, why. */
  ask(move) {
    const item = this.#hooks.current();
    if (!item || (move === "snooze" && item.heldLeft)) return false;
    const form = this.#forms[move];
    form.elements.note.required = this.#hooks.wantsReason(move);
    const sender = item.payload.reason?.escalated?.by;
    const where = form.querySelector("[data-goes-to]");
    if (where) where.textContent = sender ? t("hand-back-to", { who: sender }) : t("hand-back-all");
    this.#sheets.toggle(move.replace("_", "-"));
    return true;
  }

  /** What the queue wants a reason for has changed. */
  reasonsAre() {
    for (const [move, form] of Object.entries(this.#forms)) form.elements.note.required = this.#hooks.wantsReason(move);
  }

  #submitted(event, move) {
    event.preventDefault();
    const item = this.#hooks.current();
    const body = this.#bodyOf(this.#forms[move], move);
    const words = move === "snooze" ? t("snoozed", { n: body.minutes }) : t(move === "escalate" ? "escalated" : "handed-back");
    this.#sheets.close();
    this.#forms[move].reset();
    if (item) this.#put(item, move, body, words);
  }

  #bodyOf(form, move) {
    const body = { note: form.elements.note.value.trim() };
    if (move === "snooze") body.minutes = Number(form.elements.minutes.value);
    const [queue, person] = (form.elements.to?.value || "").split(" ");
    if (queue) body.queue = queue;
    if (person) body.person = person;
    return body;
  }

  #put(item, move, body, words) {
    this.#hooks.goOn();
    return this.#send(item, move, body, words);
  }

  async #send(item, move, body, words) {
    try {
      await post(item.links[move], { claim_token: item.token, ...body });
      say(words);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (this.#hooks.askAfter(problem, move, (note) => this.#send(item, move, { ...body, note }, words))) return;
      this.#hooks.failed(problem.status ? problem.message : t("unreachable-detail"));
    }
  }
}
