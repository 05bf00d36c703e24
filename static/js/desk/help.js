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
    meaning.textContent = t(entry.text);
    const marks = (entry.show ? [entry.show] : entry.keys).map((key) => {
      const mark = document.createElement("kbd");
      mark.textContent = shown(key);
      return mark;
    });
    const changes = this.#url && isFree(entry);
    name.append(...(changes ? [this.#key(entry, marks, meaning.textContent)] : marks));
    row.append(name, meaning);
    return row;
  }

  /** The key itself is what is pressed to change it. */
  #key({ command }, marks, means) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "help__key";
    button.dataset.rebind = command;
    button.dataset.means = means;
    button.setAttribute("aria-label", `${t("key-change")}: ${means} (${marks.map((mark) => mark.textContent).join(", ")})`);
    button.append(...marks);
    return button;
  }

  #reset() {
    const row = document.createElement("p");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--small";
    button.textContent = t("keys-reset");
    button.dataset.resetKeys = "";
    row.append(button);
    return row;
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.resetKeys !== undefined) this.#save({}, "");
    if (!button.dataset.rebind) return;
    this.#stopWaiting();
    this.#waiting = button;
    this.#say(t("key-press"));
  }

  /** A word in the place of what the waiting key means. */
  #say(words) {
    this.#waiting.closest(".help__row").querySelector("dd").textContent = words;
    announce(words);
  }

  #stopWaiting() {
    if (this.#waiting) this.#say(this.#waiting.dataset.means);
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
      this.#say(t("key-taken", { key: shown(chord), what: t(other.text) }));
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
