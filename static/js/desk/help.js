/** The help panel: what each key does, from the table that the keys obey, and another key for what a person wants. */
import { Problem, post } from "../http.js";
import { announce } from "./announce.js";
import { chordOf, isFree, shown, validate, withOwn } from "./keymap.js";
import { t } from "./texts.js";

const SILENT = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Tab", "Enter", "Escape", " "]);

export class Help {
  #root;
  #place;
  #url;
  #own;
  #onChange;
  #waiting = null;

  /**
   * @param {HTMLElement} root the desk
   * @param {{keys?: Record<string, string[]>, urls: {keys?: string}}} config
   * @param {(table: object[]) => void} onChange hears the new table
   */
  constructor(root, config, onChange) {
    this.#root = root;
    this.#place = root.querySelector("[data-help]");
    this.#url = config.urls.keys;
    this.#own = config.keys || {};
    this.#onChange = onChange;
    this.#place.addEventListener("click", (event) => this.#clicked(event));
    this.#place.addEventListener("keydown", (event) => this.#pressed(event));
    this.#draw();
  }

  /** @returns {object[]} what the keys mean for this person */
  get table() {
    return withOwn(this.#own);
  }

  #draw(focus = "") {
    const groups = [...new Set(this.table.map((entry) => entry.group))];
    this.#place.replaceChildren(...groups.map((name) => this.#group(name)), ...(Object.keys(this.#own).length ? [this.#reset()] : []));
    for (const { command, keys } of this.table.filter(isFree)) this.#hint(command, keys[0]);
    this.#place.querySelector(`[data-rebind="${focus}"]`)?.focus();
  }

  /** Buttons and hints of the page say the key that counts. */
  #hint(command, key) {
    for (const button of this.#root.querySelectorAll(`[data-command="${command}"] > kbd`)) {
      if (key && button.dataset.was !== key && (button.dataset.was || this.#own[command])) button.textContent = key === "Enter" ? "⏎" : shown(key);
      if (this.#own[command]) button.dataset.was = key;
    }
  }

  #group(name) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = t(`group-${name}`);
    const list = document.createElement("dl");
    list.append(...this.table.filter((entry) => entry.group === name).map((entry) => this.#row(entry)));
    section.append(title, list);
    return section;
  }

  #row(entry) {
    const [row, name, meaning] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
    row.className = "help__row";
    for (const key of entry.show ? [entry.show] : entry.keys) {
      const mark = document.createElement("kbd");
      mark.textContent = shown(key);
      name.append(mark);
    }
    meaning.textContent = t(entry.text);
    row.append(name, meaning);
    if (this.#url && isFree(entry)) row.append(this.#button(t("key-change"), "rebind", entry.command, meaning.textContent));
    return row;
  }

  #reset() {
    const row = document.createElement("p");
    row.append(this.#button(t("keys-reset"), "resetKeys", "all", ""));
    return row;
  }

  #button(words, what, value, about) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--plain button--small";
    button.textContent = words;
    button.dataset[what] = value;
    if (about) button.setAttribute("aria-label", `${words}: ${about}`);
    return button;
  }

  #clicked(event) {
    const { rebind, resetKeys } = event.target.dataset;
    if (resetKeys) this.#save({}, "");
    if (!rebind) return;
    this.#stopWaiting();
    this.#waiting = event.target;
    event.target.textContent = t("key-press");
    announce(t("key-press"));
  }

  #stopWaiting() {
    if (this.#waiting) this.#waiting.textContent = t("key-change");
    this.#waiting = null;
  }

  /** While a row waits for its key, keys mean nothing else. */
  #pressed(event) {
    if (!this.#waiting) return;
    event.stopPropagation();
    if (event.key === "Escape") return this.#stopWaiting();
    if (SILENT.has(event.key)) return;
    event.preventDefault();
    this.#give(this.#waiting.dataset.rebind, chordOf(event, false));
  }

  #give(command, chord) {
    const own = { ...this.#own, [command]: [chord] };
    try {
      validate(this.table.map((row) => (row.command === command ? { ...row, keys: [chord] } : row)));
    } catch {
      const other = this.table.find((row) => row.command !== command && row.keys.some((key) => key === chord || key.startsWith(`${chord} `)));
      this.#waiting.textContent = t("key-taken", { key: shown(chord), what: t(other.text) });
      announce(this.#waiting.textContent);
      return;
    }
    this.#save(own, command);
  }

  async #save(own, focus) {
    this.#waiting = null;
    try {
      this.#own = (await (await post(this.#url, { bindings: own })).json()).bindings;
      this.#draw(focus);
      this.#onChange(this.table);
      if (!Object.keys(own).length) location.reload();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#draw(focus);
      announce(t("unreachable-detail"));
    }
  }
}
