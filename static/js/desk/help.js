/** Fills the help panel from the keymap, so that what it says is what the keys do. */
import { KEYMAP } from "./keymap.js";
import { t } from "./texts.js";

function row({ keys, show, text }) {
  const [entry, name, meaning] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
  entry.className = "help__row";
  for (const key of show ? [show] : keys) {
    const mark = document.createElement("kbd");
    mark.textContent = key.replace("Ctrl+", "Ctrl ").replace("Shift+", "Shift ").replace(/\b([a-z])$/, (letter) => letter.toUpperCase());
    name.append(mark);
  }
  meaning.textContent = t(text);
  entry.append(name, meaning);
  return entry;
}

function group(name) {
  const section = document.createElement("section");
  const title = document.createElement("h3");
  title.textContent = t(`group-${name}`);
  const list = document.createElement("dl");
  list.append(...KEYMAP.filter((entry) => entry.group === name).map(row));
  section.append(title, list);
  return section;
}

/** @param {HTMLElement} place */
export function fillHelp(place) {
  const groups = [...new Set(KEYMAP.map((entry) => entry.group))];
  place.replaceChildren(...groups.map(group));
}
