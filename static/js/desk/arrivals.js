/** Tells an idle desk that something may have arrived: by the live connection, and by a slow clock in case it is down. */
import { onLive } from "../live.js";

const SPREAD_MS = 300;
const CLOCK_MS = 20000;

/**
 * @param {string} queue the queue's id
 * @param {() => void} arrived called a random moment later, so that many desks do not ask at once
 */
export function onArrivals(queue, arrived) {
  const visible = () => document.visibilityState === "visible";
  const soon = () => visible() && setTimeout(arrived, Math.random() * SPREAD_MS);
  onLive((message) => {
    if (message.type === "reconnected" || (message.type === "queue" && message.id === queue)) soon();
  });
  document.addEventListener("visibilitychange", soon);
  setInterval(soon, CLOCK_MS);
}
