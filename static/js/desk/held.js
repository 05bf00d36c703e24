/**
 * What a machine waits for: offered in one fixed place beside the work in hand, never in its way. Also tells the server
 * that somebody is on duty here.
 */
import { getFragment, parseFragment, post, Problem } from "../http.js";
import { onLive } from "../live.js";
import { readClaim } from "./item.js";
import { announce } from "./announce.js";
import { t } from "./texts.js";

const REPORT_MS = 20000;
const TICK_MS = 250;
const MINUTES_ABOVE_S = 120;

/** @returns {string} a time to wait in words: in minutes while they are many, so that nobody has to reckon */
export function span(seconds) {
  return seconds > MINUTES_ABOVE_S ? t("span-minutes", { n: Math.ceil(seconds / 60) }) : t("span-seconds", { n: Math.ceil(seconds) });
}

export class Held {
  #place;
  #urls;
  #ends = 0;
  #onScreen = "";
  #looking = false;
  #again = false;

  /**
   * @param {HTMLElement} root the desk
   * @param {object} config the desk's configuration
   */
  constructor(root, config) {
    this.#place = root.querySelector("[data-held-place]");
    this.#urls = config.urls;
    onLive((message) => {
      const ours = message.type === "queue" && message.id === config.queue.id;
      if (message.type === "reconnected" || (ours && message.held)) this.look();
    });
  }

  /** Begin to look and to report. */
  start() {
    const report = () => document.visibilityState === "visible" && post(this.#urls.here, {}).catch(() => {});
    setInterval(report, REPORT_MS);
    setInterval(() => this.look(), REPORT_MS);
    setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => { report(); this.look(); });
    report();
    this.look();
  }

  /** What is on screen is not offered beside itself, though it may have been asked for before it came. */
  shows(id) {
    this.#onScreen = id;
    if (this.offered === id) this.#place.replaceChildren();
  }

  get offered() {
    return this.#place.querySelector("[data-held-offer]")?.dataset.heldOffer || "";
  }

  /** Ask what waits. One question at a time; what changes meanwhile is asked once more. */
  async look() {
    if (document.visibilityState !== "visible") return;
    if (this.#looking) { this.#again = true; return; }
    this.#looking = true;
    try {
      this.#offer(await getFragment(this.#urls.held));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    } finally {
      this.#looking = false;
    }
    if (this.#again) { this.#again = false; this.look(); }
  }

  #offer(html) {
    const before = this.offered;
    this.#place.replaceChildren(parseFragment(html));
    const offer = this.#place.querySelector("[data-held-offer]");
    if (!offer) return;
    if (this.offered === this.#onScreen) { this.#place.replaceChildren(); return; }
    this.#ends = performance.now() + Number(offer.dataset.leftS) * 1000;
    this.#tick();
    if (offer.dataset.heldOffer !== before) announce(t("held-offered"));
  }

  #tick() {
    const left = this.#place.querySelector("[data-held-left]");
    if (!left) return;
    const seconds = (this.#ends - performance.now()) / 1000;
    left.textContent = t("held-left", { left: span(Math.max(seconds, 0)) });
    if (seconds <= 0) this.#place.replaceChildren();
  }

  /**
   * Take what is offered.
   * @returns {Promise<object|null>} the item, or null when it waits no longer
   * @throws {Problem}
   */
  async take() {
    const item = this.offered;
    if (!item) return null;
    const taken = readClaim(await (await post(this.#urls.take, { item })).text());
    this.#place.replaceChildren();
    this.look();
    return taken.item;
  }
}
