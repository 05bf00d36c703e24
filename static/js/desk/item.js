/** An item as the desk holds it: what the server's fragment says, and its picture. */
import { getFragment, parseFragment, Problem } from "../http.js";

/** One claimed item. Its picture starts loading at once and is decoded before it counts as ready. */
export class Item {
  /** @param {HTMLElement} article `<article data-item>` with its payload and its slots */
  constructor(article) {
    this.article = article;
    this.id = article.dataset.item;
    this.payload = JSON.parse(article.querySelector('script[type="application/json"]').textContent);
    this.slots = new Map([...article.querySelectorAll("[data-slot]")].map((slot) => [slot.dataset.slot, slot]));
    this.version = this.payload.version;
    this.extend(this.payload.claim.expires_in_s);
    this.heldEnds = this.payload.held_s === null || this.payload.held_s === undefined ? null : performance.now() + this.payload.held_s * 1000;
    this.pictureState = "loading";
    this.loadPicture();
  }

  get event() { return { ...this.payload.event, place: this.payload.place }; }
  get links() { return this.payload.links; }
  get token() { return this.payload.claim.token; }

  /** True when the picture can be painted now, or when there is none to wait for. */
  get isReady() { return this.pictureState !== "loading"; }

  /** The lease now ends `seconds` from here. */
  extend(seconds) {
    this.leaseEnds = performance.now() + seconds * 1000;
  }

  /** @returns {number} seconds of lease left, never below 0 */
  get leaseLeft() {
    return Math.max((this.leaseEnds - performance.now()) / 1000, 0);
  }

  /** @returns {number|null} seconds that a machine still waits for the answer; null when none does or did */
  get heldLeft() {
    return this.heldEnds === null ? null : Math.max((this.heldEnds - performance.now()) / 1000, 0);
  }

  /**
   * Ask whether a picture that was still on its way has arrived.
   * @returns {Promise<boolean>} true when it can be painted now, or is known to be damaged
   */
  async lookAgain() {
    if (this.pictureState !== "pending" || this.looking || !this.links.picture) return false;
    this.looking = true;
    try {
      Object.assign(this.payload, JSON.parse(await getFragment(this.links.picture)));
      this.loadPicture();
      await this.settled;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    } finally {
      this.looking = false;
    }
    return this.pictureState !== "pending";
  }

  /** Load and decode the picture; `settled` resolves either way. */
  loadPicture() {
    const { picture, picture_state: state } = this.payload;
    if (!picture) {
      this.picture = null;
      this.pictureState = state === "damaged" ? "damaged" : "pending";
      this.settled = Promise.resolve();
      return;
    }
    this.pictureState = "loading";
    this.picture = new Image();
    this.picture.alt = "";
    this.picture.draggable = false;
    this.picture.className = "stage__picture";
    this.picture.src = picture;
    this.settled = this.picture.decode().then(
      () => { this.pictureState = "ready"; },
      () => { this.pictureState = "failed"; },
    );
  }
}

/**
 * Read the server's answer to a claim.
 * @param {string} html `_item.html` or `_empty.html`
 * @returns {{item: Item|null, empty: HTMLElement|null}}
 */
export function readClaim(html) {
  const content = parseFragment(html);
  const article = content.querySelector("[data-item]");
  if (article) return { item: new Item(article), empty: null };
  return { item: null, empty: content.firstElementChild };
}
