/**
 * Verdicts on their way. Each is kept in local storage until the server has acknowledged it, and is sent again with the
 * same key after trouble, so a crash or a lost connection neither loses nor doubles an answer.
 */
import { backOff } from "../live.js";
import { Problem, post } from "../http.js";

const KEEPALIVE_LIMIT = 60000;

export class Outbox {
  #prefix;
  #entries = new Map();
  #onCount;
  #onRefused;
  #onSignedOut;

  /**
   * @param {string} person id of who answers; others at the same browser never send these
   * @param {{onCount: (n: number) => void, onRefused: (entry: object, problem: object) => void, onSignedOut: () => void}} hooks
   */
  constructor(person, { onCount, onRefused, onSignedOut }) {
    this.#prefix = `second-look.verdict.${person}.`;
    this.#onCount = onCount;
    this.#onRefused = onRefused;
    this.#onSignedOut = onSignedOut;
    window.addEventListener("online", () => this.#entries.forEach((entry) => entry.wake?.()));
  }

  /** @returns {string[]} items whose verdict is not acknowledged yet */
  get items() {
    return [...this.#entries.values()].map((entry) => entry.item);
  }

  /** Send what an earlier page left behind. */
  resume() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(this.#prefix));
    for (const name of names) this.#sendAgain(name);
  }

  #sendAgain(name) {
    let entry;
    try {
      entry = JSON.parse(localStorage.getItem(name));
    } catch {
      localStorage.removeItem(name);
      return;
    }
    this.#send(entry).catch(() => {});
  }

  /**
   * Keep and send a verdict.
   * @param {{url: string, item: string, body: {key: string}}} entry
   * @returns {Promise<object>} the server's answer, once it is acknowledged; rejects with `Problem` when it is refused
   */
  add(entry) {
    try {
      localStorage.setItem(this.#prefix + entry.body.key, JSON.stringify(entry));
    } catch {
      // Storage may be full or switched off; the verdict is still sent from memory.
    }
    return this.#send(entry);
  }

  async #send(entry) {
    this.#entries.set(entry.body.key, entry);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await this.#post(entry);
        this.#done(entry);
        return answer;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.signedOut) this.#onSignedOut();
        else if (!problem.passing) return this.#refuse(entry, problem);
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

  #done(entry) {
    localStorage.removeItem(this.#prefix + entry.body.key);
    this.#entries.delete(entry.body.key);
    this.#onCount(this.#entries.size);
  }

  #refuse(entry, problem) {
    this.#done(entry);
    this.#onRefused(entry, problem);
    throw problem;
  }
}
