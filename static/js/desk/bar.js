/** The verdict bar: it never moves, only the words on the first button and what is allowed change. */
import { span } from "./held.js";
import { t } from "./texts.js";

const WORDS = { confirm: "bar-confirm", correct: "bar-correct", empty: "bar-confirm-empty" };

export class Bar {
  #root;
  #primary;
  #complete;
  #lease;
  #unsent;
  #held;

  /** @param {HTMLElement} root the desk */
  constructor(root) {
    this.#root = root;
    this.#primary = root.querySelector("[data-primary]");
    this.#complete = root.querySelector("[data-complete]");
    this.#lease = root.querySelector("[data-lease]");
    this.#unsent = root.querySelector("[data-unsent]");
    this.#held = root.querySelector("[data-held-note]");
  }

  /**
   * @param {{answer: string, complete: boolean, canJudge: boolean, canAct: boolean, nothingPredicted: boolean}} state `canJudge`
   *   is whether the picture is painted, `canAct` whether an item is on screen at all
   */
  show({ answer, complete, canJudge, canAct, nothingPredicted }) {
    this.#primary.dataset.answer = answer;
    this.#primary.querySelector("[data-primary-text]").textContent = t(WORDS[answer]);
    this.#complete.setAttribute("aria-checked", String(complete));
    this.#complete.title = t(complete ? "complete-title" : "subject-title");
    for (const button of this.#root.querySelectorAll("[data-needs]")) {
      const allowed = button.dataset.needs === "picture" ? canJudge : canAct;
      button.setAttribute("aria-disabled", String(!allowed));
    }
    for (const button of this.#root.querySelectorAll("[data-not-when-empty]")) button.toggleAttribute("data-off", nothingPredicted);
  }

  /** Show the seconds of lease left; null hides them. */
  showLease(seconds) {
    this.#lease.textContent = seconds === null ? "" : t("lease-left", { n: Math.ceil(seconds) });
  }

  /**
   * Say that a machine waits, and what that means for the answer.
   * @param {string} state `waiting`, `over` or empty
   * @param {number|null} seconds left
   */
  showHeld(state, seconds) {
    this.#held.hidden = state === "";
    if (state === "waiting") this.showLease(null);
    this.#held.textContent = state === "waiting" ? t("held-waiting", { left: span(seconds) }) : state === "over" ? t("held-over") : "";
  }

  /** Show how many verdicts wait for the connection. */
  showUnsent(count) {
    this.#unsent.hidden = count === 0;
    this.#unsent.querySelector("[data-unsent-text]").textContent = t("unsent", { n: count });
  }
}
