/**
 * The picture area: swaps pictures within one frame, knows when one is really painted, says what is missing. The desk's
 * `data-state` is `waiting`, `showing` (handed to the browser), `ready` (painted: answers count) or `empty`; its
 * `data-item` names what is painted.
 */
import { t } from "./texts.js";

const SHOW_WAIT_MS = 300;

export class Stage {
  #root;
  #stage;
  #note;
  #empty;
  #waiting = 0;
  #shows = 0;

  /** @param {HTMLElement} root the desk */
  constructor(root) {
    this.#root = root;
    this.#stage = root.querySelector("[data-stage]");
    this.#note = root.querySelector("[data-stage-note]");
    this.#empty = root.querySelector("[data-empty-slot]");
  }

  get element() {
    return this.#stage;
  }

  #picture(picture) {
    this.#stage.querySelector(".stage__picture")?.remove();
    if (picture) this.#stage.prepend(picture);
  }

  #say(name) {
    this.#note.textContent = name ? t(name) : "";
    this.#note.hidden = !name;
  }

  /** Show an item's picture and resolve once it is on the screen (two frames later); false if another came meanwhile. */
  async show(item) {
    this.#shows += 1;
    const mine = this.#shows;
    this.#enter("showing");
    this.#stage.style.backgroundColor = item.pictureState === "ready" ? "" : item.payload.colour || "";
    this.#picture(item.pictureState === "ready" ? item.picture : null);
    this.#say({ pending: "picture-pending", damaged: "picture-damaged", failed: "picture-failed" }[item.pictureState]);
    await nextPaint();
    if (mine !== this.#shows) return false;
    this.#root.dataset.item = item.id;
    this.#root.dataset.state = "ready";
    return true;
  }

  #enter(state) {
    clearTimeout(this.#waiting);
    this.#root.dataset.state = state;
    delete this.#root.dataset.item;
    this.#empty.hidden = state !== "empty";
    this.#stage.hidden = state === "empty";
    this.#stage.toggleAttribute("aria-busy", state === "waiting");
  }

  /** The next item is not here yet: an empty frame at once, words only when it takes long enough to notice. */
  wait() {
    this.#shows += 1;
    this.#enter("waiting");
    this.#picture(null);
    this.#say("");
    this.#stage.style.backgroundColor = "";
    this.#waiting = setTimeout(() => this.#say("waiting"), SHOW_WAIT_MS);
  }

  /** Nothing to do: the server's words on why. */
  showEmpty(element) {
    this.#shows += 1;
    this.#enter("empty");
    this.#picture(null);
    this.#empty.replaceChildren(element);
  }
}

/** Resolves after the next frame has been painted. */
export function nextPaint() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}
