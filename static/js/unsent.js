/**
 * Answers that the server has not acknowledged, in local storage. They lie encrypted (AES-256-GCM) under a key that the
 * server gives to their owner only, so that whoever uses the browser next can neither read nor send them. Where the page
 * did not come over TLS, browsers have no cryptography to offer, and they lie there plainly.
 */

const PREFIX = "second-look.verdict.";
const IV_BYTES = 12;

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const textOf = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/** @returns {string[]} the storage names of a person's unsent answers */
export function unsentOf(person) {
  return person ? Object.keys(localStorage).filter((name) => name.startsWith(`${PREFIX}${person}.`)) : [];
}

/** @returns {boolean} whether a storage name is that of an unsent answer, whosever */
export function isUnsent(name) {
  return name.startsWith(PREFIX);
}

/** One person's unsent answers. */
export class Vault {
  #person;
  #keys;

  /**
   * @param {string} person opaque id
   * @param {string[]} rawKeys AES keys in base64: the one to write with, then older ones to read with
   */
  constructor(person, rawKeys) {
    this.#person = person;
    this.#keys = Promise.all((crypto.subtle ? rawKeys : []).map((raw) => crypto.subtle.importKey("raw", bytesOf(raw), "AES-GCM", false, ["encrypt", "decrypt"])));
  }

  get names() {
    return unsentOf(this.#person);
  }

  /** Keep an entry under its own key. Never rejects: what cannot be stored is still sent from memory. */
  async keep(entry) {
    const name = `${PREFIX}${this.#person}.${entry.body.key}`;
    try {
      localStorage.setItem(name, await this.#sealed(name, JSON.stringify(entry)));
    } catch {
      // Storage may be full or switched off.
    }
  }

  drop(entry) {
    localStorage.removeItem(`${PREFIX}${this.#person}.${entry.body.key}`);
  }

  /** @returns {Promise<object|null>} the entry, null for one that these keys do not open: it stays where it is */
  async read(name) {
    try {
      const kept = JSON.parse(localStorage.getItem(name));
      return kept.sealed ? JSON.parse(await this.#opened(name, kept)) : kept;
    } catch {
      return null;
    }
  }

  async #sealed(name, text) {
    const [key] = await this.#keys;
    if (!key) return text;
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt(this.#mode(iv, name), key, new TextEncoder().encode(text));
    return JSON.stringify({ iv: textOf(iv), sealed: textOf(sealed) });
  }

  async #opened(name, { iv, sealed }) {
    const tries = (await this.#keys).map((key) => crypto.subtle.decrypt(this.#mode(bytesOf(iv), name), key, bytesOf(sealed)));
    return new TextDecoder().decode(await Promise.any(tries));
  }

  /** The name is authenticated too: an entry cannot be moved to another person's name. */
  #mode(iv, name) {
    return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) };
  }
}
