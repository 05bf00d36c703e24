/** The desk's texts: `<template id="desk-texts">` holds one translated element per text, so no sentence lives in script. */

let texts = null;

function load() {
  const found = document.getElementById("desk-texts").content.querySelectorAll("[data-text]");
  texts = new Map([...found].map((element) => [element.dataset.text, element.textContent.trim()]));
}

/**
 * A text of the page.
 * @param {string} name
 * @param {Object<string, string|number>} values replace `[name]` in the text
 * @returns {string}
 * @throws {Error} for a name that the page does not have
 */
export function t(name, values = {}) {
  if (!texts) load();
  if (!texts.has(name)) throw new Error(`The page has no text ${name}`);
  return texts.get(name).replace(/\[(\w+)\]/g, (whole, key) => (key in values ? String(values[key]) : whole));
}
