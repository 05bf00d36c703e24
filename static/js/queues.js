/** The queues page: the *Start* of the first queue with work has the focus, so that Enter begins the shift. */

const table = document.querySelector("[data-start-first]");
const start = table?.querySelector("[data-has-work]") || table?.querySelector("[data-start]");
if (start && (document.activeElement === document.body || document.activeElement === null)) start.focus({ preventScroll: true });
