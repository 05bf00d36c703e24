/**
 * Verdicts on their way. Each is kept in local storage until the server has acknowledged it, and is sent again with the
 * same key after trouble, so a crash or a lost connection neither loses nor doubles an answer.
 */
import { backOff } from "../live.js";
import { Problem, post } from "../http.js";
import { Vault } from "../unsent.js";

const KEEPALIVE_LIMIT = 60000;

export class Outbox {
  #vault;
  #entries = new Map();
  #onCount;
  #onRefused;
  #onSignedOut;

  /**
   * @param {string} person id of who answers; others at the same browser never send these
   * @param {string[]} keys what the person's entries are encrypted with
   * @param {{onCount: (n: number) => void, onRefused: (entry: object, problem: object) => void, onSignedOut: () => void}} hooks
   */
  constructor(person, keys, { onCount, onRefused, onSignedOut }) {
    this.#vault = new Vault(person, keys);
    this.#onCount = onCount;
    this.#onRefused = onRefused;
    this.#onSignedOut = onSignedOut;
    window.addEventListener("online", () => this.hurry());
  }

  /** @returns {string[]} items whose verdict is not acknowledged yet */
  get items() {
    return [...this.#entries.values()].map((entry) => entry.item);
  }

  /** @returns {number} verdicts that are not acknowledged yet */
  get count() {
    return this.#entries.size;
  }

  /** Try again at once. */
  hurry() {
    this.#entries.forEach((entry) => entry.wake?.());
  }

  /** Send what an earlier page left behind. */
  async resume() {
    const found = await Promise.all(this.#vault.names.map((name) => this.#vault.read(name)));
    for (const entry of found) if (entry?.body && !this.#entries.has(entry.body.key)) this.#send(entry).catch(() => {});
  }

  /**
   * Keep and send a verdict.
   * @param {{url: string, item: string, body: {key: string}}} entry
   * @returns {Promise<object>} the server's answer, once it is acknowledged; rejects with `Problem` when it is refused
   */
  add(entry) {
    // Both begin at once: the request outlives the page, and encrypting must not hold it back.
    const kept = this.#vault.keep(entry);
    return this.#send(entry, kept);
  }

  async #send(entry, kept = null) {
    this.#entries.set(entry.body.key, entry);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await this.#post(entry);
        await this.#done(entry, kept);
        return answer;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.signedOut) this.#onSignedOut();
        else if (!problem.passing) return this.#refuse(entry, problem, kept);
        this.#onCount(this.#entries.size);
        await this.#pause(entry, attempt);
      }
    }
  }

  async #post(entry) {
    const keepalive = JSON.stringify(entry.body).length < KEEPALIVE_LIMIT;
    return (await post(entry.url, entry.body, { keepalive })).json();
  }

  #pause(entry, attempt) {
    return new Promise((resolve) => {
      entry.wake = resolve;
      setTimeout(resolve, backOff(attempt));
    });
  }

  async #done(entry, kept) {
    await kept;
    this.#vault.drop(entry);
    this.#entries.delete(entry.body.key);
    this.#onCount(this.#entries.size);
  }

  async #refuse(entry, problem, kept) {
    await this.#done(entry, kept);
    this.#onRefused(entry, problem);
    throw problem;
  }
}
