/** Says things to screen readers through the page's one polite live region. */

/** @param {string} text replaces what was said before */
export function announce(text) {
  document.querySelector("[data-announce]").textContent = text;
}
