/** The live connection: a websocket that carries ids only, and the dot that says how it is. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const SIGNED_OUT_CODES = [4401, 4403];
const LOCKED_CODE = 4423;
const TOO_MANY_CODE = 4429;

const listeners = new Set();
let attempts = 0;
let wasConnected = false;

/**
 * Hear live messages. After a reconnect every listener gets `{type: "reconnected"}`, because messages were missed.
 * @param {(message: {type: string, id?: string}) => void} listener
 * @returns {() => void} stops listening
 */
export function onLive(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(message) {
  for (const listener of listeners) listener(message);
}

function showState(state) {
  for (const dot of document.querySelectorAll("[data-live-dot]")) {
    dot.dataset.state = state;
    const text = dot.getAttribute(`data-text-${state}`) || "";
    dot.querySelector("[data-live-dot-text]").textContent = text;
    dot.title = text;
  }
}

/**
 * Wait before the next attempt: full jitter below a ceiling that doubles.
 * @param {number} attempt 0 for the first
 * @returns {number} milliseconds
 */
export function backOff(attempt) {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return Math.max(FIRST_WAIT_MS, Math.random() * ceiling);
}

function receive(event) {
  let message;
  try {
    message = JSON.parse(event.data);
  } catch {
    return;
  }
  if (message && typeof message.type === "string") tell(message);
}

function opened() {
  attempts = 0;
  showState("connected");
  if (wasConnected) tell({ type: "reconnected" });
  wasConnected = true;
}

function closed(event, url) {
  if (SIGNED_OUT_CODES.includes(event.code)) {
    showState("signed-out");
    tell({ type: "signed-out" });
    return;
  }
  if (event.code === LOCKED_CODE) {
    tell({ type: "locked" });
    return;
  }
  wasConnected = true;
  showState("reconnecting");
  setTimeout(() => open(url), event.code === TOO_MANY_CODE ? LONGEST_WAIT_MS : backOff(attempts));
  attempts += 1;
}

function open(url) {
  const socket = new WebSocket(url);
  socket.addEventListener("open", opened);
  socket.addEventListener("message", receive);
  socket.addEventListener("close", (event) => closed(event, url));
}

/** Open the connection that `<body data-ws-url>` names; pages without one stay quiet. */
export function connect() {
  const path = document.body.dataset.wsUrl;
  if (!path) return;
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  open(url.href);
}
