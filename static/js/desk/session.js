/** The items in this person's hands: the one on screen, the ones claimed ahead, their leases, and giving them back. */
import { Problem, post } from "../http.js";
import { readClaim } from "./item.js";

const AHEAD = 1;
const LEAVE_MS = 2000;
const GONE = [404, 409, 410];

export class Session {
  #config;
  #holdingElsewhere;
  #onLost;
  #onReasons;
  #prefetching = null;
  #ahead = [];

  /** The item on screen; the desk sets it. */
  current = null;

  /**
   * @param {object} config the desk's configuration
   * @param {{holdingElsewhere: () => string[], onLost: (item: object) => void, onReasons: (moves: string[]) => void}} hooks
   *   `holdingElsewhere` names decided items whose verdict is still on its way, so that they are not handed out again;
   *   `onReasons` hears what the queue wants a reason for by now
   */
  constructor(config, { holdingElsewhere, onLost, onReasons }) {
    this.#config = config;
    this.#holdingElsewhere = holdingElsewhere;
    this.#onLost = onLost;
    this.#onReasons = onReasons;
  }

  /** Start keeping leases, and give everything back when the page goes. */
  start() {
    setInterval(() => this.#beatAll(), this.#config.heartbeat_seconds * 1000);
    document.addEventListener("visibilitychange", () => this.#beatAll());
    window.addEventListener("pagehide", () => this.#giveBackAll());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  get inHand() {
    return [this.current, ...this.#ahead].filter(Boolean);
  }

  async #claim(ahead) {
    const holding = [...this.inHand.map((item) => item.id), ...this.#holdingElsewhere()];
    const response = await post(this.#config.urls.claim, { ahead, holding });
    return readClaim(await response.text());
  }

  /** Take the item ahead if its picture is decoded; null otherwise. Never waits. */
  takeReady() {
    return this.#ahead[0]?.isReady ? this.#ahead.shift() : null;
  }

  /**
   * Take the next item, waiting for it. A claim ahead that is already on its way is waited for, so that two of ours never
   * race for the same item.
   * @returns {Promise<{item: object|null, empty: HTMLElement|null}>}
   * @throws {Problem}
   */
  async take() {
    if (!this.#ahead.length && this.#prefetching) await this.#prefetching;
    const item = this.#ahead.shift();
    return item ? { item, empty: null } : this.#claim(false);
  }

  /** Claim ahead until one is waiting. Never rejects: trouble is left to the next try. */
  prefetch() {
    if (this.#ahead.length < AHEAD) {
      this.#prefetching ||= this.#fill().finally(() => { this.#prefetching = null; });
    }
    return this.#prefetching;
  }

  async #fill() {
    try {
      const { item } = await this.#claim(true);
      if (item) this.#ahead.push(item);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }

  /** Put an item in front of the ones ahead: it was on screen and makes room for one that was taken back. */
  putAhead(item) {
    this.#ahead.unshift(item);
  }

  /** Tell the server that an item is now the one on screen. */
  opened(item) {
    this.#keep(item, item.links.open);
  }

  /** Ask at once whether the claim on an item still counts. */
  check(item) {
    return this.#keep(item, item.links.heartbeat);
  }

  #beatAll() {
    if (document.visibilityState !== "visible") return;
    for (const item of this.inHand) this.#keep(item, item.links.heartbeat);
  }

  async #keep(item, url) {
    try {
      const answer = await (await post(url, { claim_token: item.token })).json();
      item.extend(answer.expires_in_s);
      if (answer.needs_reason) this.#onReasons(answer.needs_reason);
    } catch (problem) {
      if (GONE.includes(problem.status)) this.#lost(item);
    }
  }

  #lost(item) {
    if (item === this.current) return this.#onLost(item);
    this.#ahead = this.#ahead.filter((other) => other !== item);
    return this.prefetch();
  }

  /** Give an item back. Never rejects: what does not arrive comes back by its lease. */
  giveBack(item) {
    return post(item.links.release, { claim_token: item.token }, { keepalive: true }).catch(() => {});
  }

  /** The person leaves: everything goes back now, while the session still may, and nothing is taken any more. */
  async leave() {
    const held = this.inHand;
    this.current = null;
    this.#ahead = [];
    this.#prefetching = new Promise(() => {});
    await Promise.race([Promise.all(held.map((item) => this.giveBack(item))), new Promise((resolve) => setTimeout(resolve, LEAVE_MS))]);
  }

  #giveBackAll() {
    this.inHand.forEach((item) => this.giveBack(item));
  }
}
