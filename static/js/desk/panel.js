/** The right-hand panel: why, the boxes with what changed, the classes; and the strip of neighbouring frames. */
import { difference, removed } from "./labels.js";
import { t } from "./texts.js";

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** What is said about a thing besides its class: `colour red, damaged`. A plain no is left out. */
export function attributeWords(attributes) {
  const said = Object.entries(attributes).filter(([, value]) => value !== false && value !== null);
  return said.map(([name, value]) => (value === true ? name : `${name} ${value}`)).join(", ");
}

/** What a person changed on a label, in words; empty when nothing. */
export function changeWords(label, predictions) {
  const found = difference(label, predictions);
  if (found.added) return t("change-added");
  const words = [];
  if (found.relabelled) words.push(t("change-relabelled", { old: found.relabelled, new: label.class }));
  if (found.moved) words.push(t("change-moved"));
  if (found.resized) words.push(t("change-resized"));
  if (found.described) words.push(t("change-described"));
  return words.join(", ");
}

export class Panel {
  #root;
  #list;
  #classes;
  #figure;

  /**
   * @param {HTMLElement} root the desk
   * @param {object[]} classes
   * @param {(value: number) => string} formatConfidence
   */
  constructor(root, classes, formatConfidence) {
    this.#root = root;
    this.#list = root.querySelector("[data-box-list]");
    this.#classes = new Map(classes.map((entry) => [entry.name, entry]));
    this.#figure = formatConfidence;
  }

  /** Put the server's words about an item in their places; what is left of its fragment stays on the page as it came. */
  showItem(item) {
    this.#root.querySelector("[data-current]").replaceChildren(...(item ? [item.article] : []));
    for (const place of this.#root.querySelectorAll("[data-place]")) {
      const slot = item?.slots.get(place.dataset.place);
      place.replaceChildren(...(slot ? [slot] : []));
    }
  }

  #mark(className) {
    const entry = this.#classes.get(className);
    const mark = element("span", "class-mark", entry ? entry.key || entry.letter : className.slice(0, 1).toUpperCase());
    mark.dataset.colour = entry ? entry.colour : 8;
    return mark;
  }

  #row(label, editor, predictions) {
    const button = element("button", "box-row");
    button.type = "button";
    button.dataset.selectBox = label.id;
    button.setAttribute("aria-pressed", String(label.id === editor.selected));
    const figure = label.confidence === null ? "" : this.#figure(label.confidence);
    const words = changeWords(label, predictions);
    const name = element("span", "box-row__name", label.class);
    if (label.subject) name.classList.add("strong");
    button.append(this.#mark(label.class), name, element("span", "box-row__figure figures", figure));
    const said = attributeWords(label.attributes);
    if (said) button.append(element("span", "box-row__change", said));
    if (words) button.append(element("span", "box-row__change", words));
    const entry = document.createElement("li");
    entry.append(button);
    return entry;
  }

  #goneRow(prediction) {
    const row = element("li", "box-row box-row--gone");
    row.append(this.#mark(prediction.class), element("span", "box-row__name", prediction.class), element("span", "box-row__change", t("change-removed")));
    return row;
  }

  /** Show the editor's labels. */
  showLabels(editor, predictions, hasItem) {
    const focused = document.activeElement?.dataset?.selectBox;
    const rows = editor.labels.map((label) => this.#row(label, editor, predictions));
    this.#list.replaceChildren(...rows, ...removed(editor.labels, predictions).map((gone) => this.#goneRow(gone)));
    this.#root.querySelector("[data-no-boxes]").hidden = rows.length > 0 || !hasItem;
    this.#list.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest" });
    if (focused) this.#list.querySelector(`[data-select-box="${CSS.escape(focused)}"]`)?.focus();
    const current = editor.selectedLabel?.class;
    this.#root.querySelector('[data-command="attributes"]').hidden = !editor.definitionsOf(current).length;
    for (const button of this.#root.querySelectorAll("[data-class]")) button.setAttribute("aria-pressed", String(button.dataset.class === current));
  }
}
