/** The band drawing of a row (`[data-band-row]`) follows its two inputs while somebody types. */

const SCALE = 1000;

function unit(input) {
  const value = Number.parseFloat(input.value.replace(",", "."));
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), 1) : 0;
}

function redraw(row) {
  const low = unit(row.querySelector("[data-band-low]"));
  const high = unit(row.querySelector("[data-band-high]"));
  const range = row.querySelector("[data-band-range]");
  range.setAttribute("x", String(Math.round(low * SCALE)));
  range.setAttribute("width", String(Math.round(Math.max(high - low, 0) * SCALE)));
  const blind = row.querySelector("[data-band-blind]");
  if (blind) blind.hidden = low >= Number.parseFloat(row.dataset.floor || "0");
}

/** Start listening. */
export function moveBands() {
  document.addEventListener("input", (event) => {
    const row = event.target.closest("[data-band-row]");
    if (row && event.target.matches("[data-band-low], [data-band-high]")) redraw(row);
  });
}
