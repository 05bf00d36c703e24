/** Trouble that needs a decision, said above the picture: a lost hold, an answer that was refused. Nothing is lost by it. */
import { t } from "./texts.js";

const ANSWERS = { confirm: "word-confirm", correct: "word-correct", empty: "word-empty", unsure: "word-unsure", bad_image: "word-bad-image" };
const TITLES = { stale_version: "refused-stale", claim_lost: "refused-lost", already_decided: "refused-decided" };

const word = (answer) => (ANSWERS[answer] ? t(ANSWERS[answer]) : answer || "–");

function line(title, text) {
  const [row, name, what] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
  name.textContent = title;
  what.textContent = text;
  row.append(name, what);
  return row;
}

function labelsText(labels) {
  return labels?.length ? `: ${labels.map((label) => label.class).join(", ")}` : "";
}

export class Banner {
  #root;
  #title;
  #detail;
  #sides;
  #action;
  #act = null;

  /** @param {HTMLElement} root the desk */
  constructor(root) {
    this.#root = root.querySelector("[data-banner]");
    this.#title = this.#root.querySelector("[data-banner-title]");
    this.#detail = this.#root.querySelector("[data-banner-detail]");
    this.#sides = this.#root.querySelector("[data-banner-sides]");
    this.#action = this.#root.querySelector("[data-banner-action]");
    this.#action.addEventListener("click", () => this.#run());
    this.#root.querySelector("[data-banner-close]").addEventListener("click", () => this.hide());
  }

  #run() {
    const act = this.#act;
    this.hide();
    act?.();
  }

  hide() {
    this.#root.hidden = true;
    this.#act = null;
  }

  /** Whether it offers something to do, which must not be covered by mere news. */
  get offers() {
    return !this.#root.hidden && this.#act !== null;
  }

  #show(title, detail, action, act) {
    this.#title.textContent = title;
    this.#detail.textContent = detail;
    this.#sides.replaceChildren();
    this.#action.textContent = action || "";
    this.#action.hidden = !action;
    this.#act = act;
    this.#root.hidden = false;
  }

  /** The item on screen is no longer held by this person. */
  claimLost(next) {
    this.#show(t("lost-title"), t("lost-detail"), t("lost-next"), next);
  }

  /** The queue could not be asked. */
  unreachable(detail, again) {
    this.#show(t("unreachable-title"), detail || t("unreachable-detail"), t("unreachable-again"), again);
  }

  /** The session is over. Answers are kept; the sign-in comes back to this page, which sends them. */
  signedOut() {
    this.#show(t("signed-out-title"), t("signed-out-detail"), t("signed-out-again"), () => location.reload());
  }

  /** A plain refusal of something that was tried. */
  said(title, detail) {
    this.#show(title, detail, "", null);
  }

  /** A move was refused because the queue wants a reason by now: `ask` asks for it and sends the move again. */
  reasonMissing(why, ask) {
    this.#show(t("reason-missing-title"), t("reason-missing-detail", { why }), t("reason-missing-say"), ask);
  }

  /** An answer was refused: both sides, and (when the item only moved on) a way to give it again. */
  refused(entry, problem, again) {
    const current = problem.body.current || {};
    const canAgain = problem.code === "stale_version" && current.version !== undefined;
    const title = TITLES[problem.code] ? t(TITLES[problem.code]) : t("refused-title");
    this.#show(title, problem.message, canAgain ? t("refused-again") : "", () => again(current.version));
    const theirs = word(current.answer || current.outcome) + labelsText(current.labels);
    const by = current.by ? ` · ${current.by}` : "";
    this.#sides.append(line(t("side-yours"), word(entry.body.answer) + labelsText(entry.body.labels)));
    if (current.answer || current.outcome) this.#sides.append(line(t("side-theirs"), theirs + by));
  }
}
