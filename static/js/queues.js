/** The queues page: the first *Start* has the focus, so that Enter begins the shift. */

const start = document.querySelector("[data-start-first] [data-start]");
if (start && (document.activeElement === document.body || document.activeElement === null)) start.focus({ preventScroll: true });
