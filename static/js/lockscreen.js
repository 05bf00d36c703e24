/** The lock screen: the pad, the call for urgent items, and what still waits to be sent. */
import { getFragment, parseFragment, Problem } from "./http.js";
import { forget } from "./leaving.js";
import { unsentOf } from "./unsent.js";

const POLL_MS = 10000;
const SOUND_KEY = "second-look.sound";
const BEEP_HZ = 660;
const BEEP_S = 0.18;
const BEEP_LOUD = 0.12;

const root = document.querySelector("[data-lock-screen]");
const form = root.querySelector("[data-unlock]");
const code = form?.querySelector("[data-code]");
let audio = null;
let called = 0;

function press(event) {
  const button = event.target.closest("[data-digit], [data-erase]");
  if (!button) return;
  if (button.dataset.digit) code.value += button.dataset.digit;
  else code.value = code.value.slice(0, -1);
}

/** Typing anywhere goes into the field: digits by hand, or a reader's burst. */
function typeAnywhere(event) {
  const elsewhere = event.target !== code && !event.target.closest("input, button, a, summary");
  if (code && elsewhere && event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) code.focus();
}

/** Whoever is not the locked person finds none of his settings. */
function entering() {
  const chosen = form.querySelector("[name=person]:checked")?.value;
  if (chosen && root.dataset.person && chosen !== root.dataset.person) forget();
}

function choose(event) {
  if (event.target.name === "person") code.focus();
}

// The call -----------------------------------------------------------------------------------------------------------

function soundWanted() {
  return localStorage.getItem(SOUND_KEY) !== "off";
}

function showSound() {
  const button = root.querySelector("[data-sound]");
  const heard = audio?.state === "running";
  button.setAttribute("aria-pressed", String(soundWanted()));
  root.querySelector("[data-sound-blocked]").hidden = !soundWanted() || heard;
  for (const state of ["on", "off"]) button.querySelector(`[data-sound-${state}]`).hidden = (state === "on") !== soundWanted();
}

async function beep() {
  if (!soundWanted() || audio?.state !== "running") return;
  for (const delay of [0, 0.3]) {
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    const from = audio.currentTime + delay;
    tone.frequency.value = BEEP_HZ;
    loud.gain.setValueAtTime(0, from);
    loud.gain.linearRampToValueAtTime(BEEP_LOUD, from + 0.02);
    loud.gain.linearRampToValueAtTime(0, from + BEEP_S);
    tone.connect(loud).connect(audio.destination);
    tone.start(from);
    tone.stop(from + BEEP_S);
  }
  root.dataset.beeps = String(Number(root.dataset.beeps || 0) + 1);
}

async function startSound() {
  audio ||= new AudioContext();
  // Resolves only when the browser allows sound; that takes a touch, or one on the page before.
  audio.resume().then(showSound, () => {});
  showSound();
}

function toggleSound() {
  localStorage.setItem(SOUND_KEY, soundWanted() && audio?.state === "running" ? "off" : "on");
  startSound();
}

/** Say out loud that there is more to do than before; once per arrival, not again and again. */
function call() {
  const line = root.querySelector("[data-urgent-total]");
  const total = Number(line?.dataset.urgentTotal || 0);
  document.title = total ? `(${total}) ${root.dataset.title}` : root.dataset.title;
  if (total > called) beep();
  called = total;
}

async function poll() {
  try {
    const fresh = parseFragment(await getFragment("/lock/urgent/")).firstElementChild;
    root.querySelector("[data-urgent]").replaceWith(fresh);
    call();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
  }
}

// What waits -----------------------------------------------------------------------------------------------------------

function showUnsent() {
  const line = root.querySelector("[data-unsent]");
  const count = unsentOf(root.dataset.person).length;
  if (!line || !count) return;
  line.hidden = false;
  line.querySelector("[data-unsent-text]").textContent = (count === 1 ? line.dataset.textOne : line.dataset.textMany).replace("[n]", String(count));
}

function start() {
  new BroadcastChannel("second-look.lock").addEventListener("message", ({ data }) => { if (data === "open") location.reload(); });
  document.addEventListener("keydown", typeAnywhere);
  document.addEventListener("pointerdown", startSound, { once: true });
  document.addEventListener("keydown", startSound, { once: true });
  form?.addEventListener("click", press);
  form?.addEventListener("change", choose);
  form?.addEventListener("submit", entering);
  form?.querySelector("[data-pad]")?.removeAttribute("hidden");
  showUnsent();
  if (!root.querySelector("[data-urgent]")) return;
  root.querySelector("[data-sound]").addEventListener("click", toggleSound);
  startSound();
  call();
  setInterval(poll, POLL_MS);
}

start();
