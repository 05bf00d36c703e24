/**
 * Locking: by hand (Shift+L, the menu) and when nobody touches a shared computer. The server keeps its own clock; this
 * one is for the page, so that it goes dark on the minute and in all tabs at once.
 */
import { Problem, post } from "./http.js";
import { onLive } from "./live.js";
import { giveBack, sentWithin } from "./leaving.js";

const SHARED_CLOCK = "second-look.active";
const ACTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
const LOOK_MS = 1000;
const NOTE_MS = 1000;
const REPORT_MS = 30000;
const SEND_MS = 4000;
const AGAIN_MS = 3000;
const WARN_S = 20;

const channel = new BroadcastChannel("second-look.lock");
let touched = Date.now();
let noted = 0;
let reported = Date.now();
let locking = false;
let gone = false;

function idleSeconds() {
  return Number(document.body.dataset.idleSeconds) || Infinity;
}

/** When somebody last touched this browser, in any of its tabs. */
function lastTouch() {
  return Math.max(touched, Number(localStorage.getItem(SHARED_CLOCK)) || 0);
}

function touch(event) {
  if (!event.isTrusted) return;
  touched = Date.now();
  if (touched - noted < NOTE_MS) return;
  noted = touched;
  localStorage.setItem(SHARED_CLOCK, String(touched));
}

/** Tell the server, at most every half minute, that somebody is here. */
function report() {
  if (touched <= reported || Date.now() - reported < REPORT_MS) return;
  reported = Date.now();
  post("/lock/active/", {}).catch(() => {});
}

function look() {
  const left = idleSeconds() - (Date.now() - lastTouch()) / 1000;
  warn(left);
  if (left <= 0) lock("idle");
  else report();
}

function warn(left) {
  const line = document.querySelector("[data-locks-soon]");
  if (!line) return;
  line.hidden = left > WARN_S;
  if (!line.hidden) line.querySelector("[data-locks-seconds]").textContent = String(Math.max(0, Math.ceil(left)));
}

function lockAddress() {
  const here = location.pathname + location.search;
  return here.startsWith("/lock/") ? "/lock/" : `/lock/?next=${encodeURIComponent(here)}`;
}

/** The page of whoever was here goes away; the lock screen takes its place, also in the history. */
function showLockScreen() {
  // The socket, another tab and an answer may all say so; a second navigation would break off the first.
  if (gone) return;
  gone = locking = true;
  cover();
  location.replace(lockAddress());
}

/** Hide everything at once, before any answer: what is on the screen must not wait for the network. */
function cover() {
  const curtain = document.querySelector("[data-curtain]");
  if (!curtain || document.body.hasAttribute("data-covered")) return;
  document.body.setAttribute("data-covered", "");
  curtain.hidden = false;
  curtain.focus();
}

function say(name, count = 0) {
  const curtain = document.querySelector("[data-curtain]");
  const line = curtain?.querySelector("[data-curtain-text]");
  if (line) line.textContent = curtain.dataset[name].replace("[n]", String(count));
}

/**
 * Lock this browser. Unsent answers get a few seconds; after that they wait, encrypted, for their owner.
 * @param {"asked"|"idle"} why
 */
export async function lock(why) {
  if (locking || !document.body.dataset.person) return;
  locking = true;
  cover();
  await sentWithin(SEND_MS, (left) => say(left === 1 ? "textOne" : "textMany", left));
  say("textLocking");
  await giveBack();
  await untilLocked(why);
  channel.postMessage("locked");
  showLockScreen();
}

/** The server decides who is locked; while it is out of reach the page stays dark and asks again. */
async function untilLocked(why) {
  for (;;) {
    try {
      await post(`/lock/now/?why=${why}`, {});
      return;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (!problem.passing) return;
      say("textOffline");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable=true]");
}

function key(event) {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !event.repeat;
  if (plain && event.shiftKey && event.key.toLowerCase() === "l" && !isTyping(event.target)) lock("asked");
}

/** Start watching. */
export function keepWatch() {
  if (!document.body.dataset.person) return;
  document.addEventListener("keydown", key);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-lock]")) return;
    event.preventDefault();
    lock("asked");
  });
  document.addEventListener("second-look:locked", showLockScreen);
  onLive((message) => { if (message.type === "locked") showLockScreen(); });
  channel.addEventListener("message", ({ data }) => { if (data === "locked") showLockScreen(); });
  channel.postMessage("open");
  if (idleSeconds() === Infinity) return;
  localStorage.setItem(SHARED_CLOCK, String(touched));
  for (const act of ACTS) document.addEventListener(act, touch, { passive: true, capture: true });
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_MS);
}
