/** Keeps `<time data-ago>` current, in the words of the person's language. */

const EVERY_MS = 15000;
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

/**
 * Say a length of time in its largest unit.
 * @param {number} seconds
 * @param {string} language BCP 47 tag
 * @returns {string|null} null below one minute, where the server's words stay
 */
export function spanWords(seconds, language) {
  const found = UNITS.find(([, size]) => seconds >= size);
  if (!found) return null;
  const [unit, size] = found;
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(Math.floor(seconds / size));
}

function refresh() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const words = spanWords((now - Date.parse(element.dateTime)) / 1000, document.documentElement.lang);
    if (words && element.textContent !== words) element.textContent = words;
  }
}

/** Start the clock. */
export function keepTimesCurrent() {
  setInterval(refresh, EVERY_MS);
}
