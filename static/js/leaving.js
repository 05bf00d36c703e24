/**
 * Leaving the browser to somebody else: unsent answers are waited for, items in hand go back, nothing personal stays.
 * A form with `data-leave` signs out; `lock.js` locks. Without script the forms work as they are.
 */
import { Problem, getJson } from "./http.js";
import { isUnsent, unsentOf } from "./unsent.js";

const PERSON_KEY = "second-look.person";
const KEPT_KEYS = [PERSON_KEY, "second-look.sound", "second-look.active"];
const LOOK_MS = 150;

const me = () => document.body.dataset.person || "";
let desk = null;
let sender = null;

/**
 * The desk says how many answers it still sends, and how it gives back what it holds.
 * @param {{outbox: object, giveBack: () => Promise<void>}} parts
 */
export function deskIsOpen(parts) {
  desk = parts;
  sender = parts.outbox;
}

/** @returns {number} this person's answers that the server has not acknowledged */
export function unsent() {
  return Math.max(sender?.count || 0, unsentOf(me()).length);
}

/** Take away what the last person left in this browser's storage, unsent answers apart: those are encrypted. */
export function forget() {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith("second-look.") && !isUnsent(name) && !KEPT_KEYS.includes(name)) localStorage.removeItem(name);
  }
  sessionStorage.clear();
}

/** Somebody else than last time is here: begin with empty drawers. */
function noticePerson() {
  if (!me()) return;
  const last = localStorage.getItem(PERSON_KEY);
  if (last && last !== me()) forget();
  localStorage.setItem(PERSON_KEY, me());
}

/** Send, on a page that is not the desk, what an earlier page could not. */
async function sendLeftovers() {
  if (sender || !unsentOf(me()).length) return;
  try {
    const [{ keys }, { Outbox }] = await Promise.all([getJson("/me/outbox-keys/"), import("./desk/outbox.js")]);
    if (sender) return;
    sender = new Outbox(me(), keys, { onCount: () => {}, onRefused: () => {}, onSignedOut: () => {} });
    await sender.resume();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
  }
}

/**
 * Wait until nothing is unsent.
 * @param {number} longestMs
 * @param {(left: number) => void} tell called with what is left
 * @param {() => boolean} stop
 * @returns {Promise<boolean>} whether everything was sent
 */
export async function sentWithin(longestMs, tell = () => {}, stop = () => false) {
  const until = Date.now() + longestMs;
  if (unsent()) sendLeftovers();
  sender?.hurry();
  while (unsent() && Date.now() < until && !stop()) {
    tell(unsent());
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return unsent() === 0;
}

/** Put back what the desk holds, while the session still may. */
export async function giveBack() {
  await desk?.giveBack();
}

function fill(text, count) {
  return text.replace("[n]", new Intl.NumberFormat(document.documentElement.lang).format(count));
}

/** The panel that says how many answers are on their way. */
class Panel {
  #root = document.querySelector("[data-leaving]");
  decided = "";

  open() {
    this.decided = "";
    this.#root.hidden = false;
    this.#root.querySelector("[data-leaving-stay]").focus();
    this.#root.onclick = (event) => {
      if (event.target.closest("[data-leaving-stay]")) this.decided = "stay";
      if (event.target.closest("[data-leaving-go]")) this.decided = "go";
    };
    this.#root.onkeydown = (event) => { if (event.key === "Escape") this.decided = "stay"; };
  }

  say(count) {
    const words = this.#root.dataset;
    const text = fill(count === 1 ? words.textOne : words.textMany, count);
    const line = this.#root.querySelector("[data-leaving-text]");
    if (line.textContent !== text) line.textContent = text;
    this.#root.toggleAttribute("data-offline", navigator.onLine === false);
  }

  close() {
    this.#root.hidden = true;
  }
}

/** Sign out as soon as everything is sent, or when the person says so. */
async function signOut(form) {
  if (unsent()) {
    const panel = new Panel();
    panel.open();
    await sentWithin(Infinity, (left) => panel.say(left), () => panel.decided !== "");
    panel.close();
    if (panel.decided === "stay") return;
  }
  await giveBack();
  if (document.body.hasAttribute("data-shared")) {
    forget();
    localStorage.removeItem(PERSON_KEY);
  }
  form.submit();
}

/** Start watching over what is left behind. */
export function leaveNothingBehind() {
  noticePerson();
  sendLeftoversSoon();
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-leave]")) return;
    event.preventDefault();
    signOut(event.target);
  });
  // A page that comes back from the browser's memory may be somebody else's: look again who is here.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function sendLeftoversSoon() {
  if (!document.querySelector("[data-desk]")) sendLeftovers();
}
