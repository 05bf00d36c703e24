/**
 * Fragments that follow live messages. `data-live-queue="<id>"` or `data-live-release="<id>"` says what an element
 * depends on ("*" for anything of that kind), `data-live-url` where its current form is. Fetched at most once a second
 * per element, at the first message and again after the last one. The answer may be the fragment alone or a page that has
 * an element of the same id.
 */
import { getFragment, parseFragment } from "./http.js";
import { onLive } from "./live.js";

const PACE_MS = 1000;
const waiting = new Map();

function focusPath(element) {
  const active = document.activeElement;
  if (!active || !element.contains(active)) return null;
  return active.id ? { id: active.id } : { key: active.dataset.focusKey };
}

function restoreFocus(element, path) {
  if (!path) return;
  const target = path.id ? document.getElementById(path.id) : element.querySelector(`[data-focus-key="${CSS.escape(path.key || "")}"]`);
  target?.focus({ preventScroll: true });
}

function swap(element, html) {
  const content = parseFragment(html);
  const fresh = (element.id && content.querySelector(`#${CSS.escape(element.id)}`)) || content.firstElementChild;
  if (!fresh) return;
  const path = focusPath(element);
  element.replaceWith(fresh);
  window.htmx?.process(fresh);
  restoreFocus(fresh, path);
  reloadIfAsked();
}

/** A fragment that changes what the rest of its page says carries `data-reload`. */
function reloadIfAsked() {
  if (document.querySelector("[data-reload]")) location.reload();
}

async function refresh(url) {
  const element = document.querySelector(`[data-live-url="${CSS.escape(url)}"]`);
  if (!element) return;
  try {
    const html = await getFragment(url);
    if (element.isConnected) swap(element, html);
  } catch (problem) {
    // Gone or no longer ours to see: leave what is on the page, the next full load tells.
    if (problem.passing) waiting.get(url).again = true;
  }
}

async function run(url) {
  const state = waiting.get(url);
  do {
    state.again = false;
    await refresh(url);
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  } while (state.again);
  waiting.delete(url);
}

function ask(url) {
  const state = waiting.get(url);
  if (state) {
    state.again = true;
    return;
  }
  waiting.set(url, { again: false });
  run(url);
}

function concerned(message) {
  if (message.type === "reconnected") return document.querySelectorAll("[data-live-url]");
  const name = `data-live-${CSS.escape(message.type)}`;
  return document.querySelectorAll(`[${name}="${CSS.escape(message.id || "")}"], [${name}="*"]`);
}

/** Start following live messages. */
export function keepFragmentsCurrent() {
  document.addEventListener("htmx:after:swap", reloadIfAsked);
  onLive((message) => {
    for (const element of concerned(message)) if (element.dataset.liveUrl) ask(element.dataset.liveUrl);
  });
}
