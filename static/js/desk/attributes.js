/** Says more about the selected label than its class: one line of values for each attribute, chosen by digit or click. */
import { lacking, takes } from "./labels.js";
import { t } from "./texts.js";

function valuesOf(definition) {
  if (definition.values.length) return definition.values.map((value) => ({ value, words: value }));
  return [{ value: true, words: t("attribute-yes") }, { value: false, words: t("attribute-no") }];
}

export class Attributes {
  #form;
  #place;
  #sheets;
  #editor;
  #current = 0;
  #then = null;

  /**
   * @param {HTMLElement} root the desk
   * @param {import("./sheets.js").Sheets} sheets
   * @param {import("./editor.js").Editor} editor
   */
  constructor(root, sheets, editor) {
    this.#form = root.querySelector("[data-attributes-form]");
    this.#place = root.querySelector("[data-attributes]");
    this.#sheets = sheets;
    this.#editor = editor;
    this.#form.addEventListener("submit", (event) => this.#done(event));
    this.#form.addEventListener("click", (event) => this.#clicked(event));
    this.#form.addEventListener("keydown", (event) => this.#key(event));
  }

  get #definitions() {
    const label = this.#editor.selectedLabel;
    return label ? this.#editor.definitionsOf(label.class) : [];
  }

  /**
   * Open the lines of the selected label; false when its class has none.
   * @param {(() => void)|null} then what Enter goes on with once nothing is lacking
   */
  ask(then = null) {
    const label = this.#editor.selectedLabel;
    if (!label || !this.#definitions.length || !this.#editor.canEdit) return false;
    this.#then = then;
    const [first] = lacking(label, this.#definitions);
    this.#current = first ? this.#definitions.indexOf(first) : 0;
    this.#form.querySelector("[data-attributes-of]").textContent = t("attributes-of", { what: label.class });
    if (this.#sheets.open?.dataset.sheet !== "attributes") this.#sheets.toggle("attributes");
    this.#show();
    return true;
  }

  #show() {
    const { attributes } = this.#editor.selectedLabel;
    this.#place.replaceChildren(...this.#definitions.map((one, place) => this.#line(one, place, attributes)));
    const line = this.#place.children[this.#current];
    (line.querySelector('[aria-pressed="true"]') || line.querySelector("button")).focus({ preventScroll: true });
  }

  #line(definition, place, attributes) {
    const line = document.createElement("fieldset");
    line.className = "attributes__line";
    line.toggleAttribute("data-current", place === this.#current);
    const legend = document.createElement("legend");
    legend.textContent = definition.required ? `${definition.name} · ${t("attribute-needed")}` : definition.name;
    line.append(legend, ...valuesOf(definition).map((one, at) => this.#button(definition, place, one, at, attributes)));
    return line;
  }

  #button(definition, place, { value, words }, at, attributes) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--small";
    button.dataset.line = place;
    button.dataset.value = at;
    button.setAttribute("aria-pressed", String(attributes[definition.name] === value && takes(definition, value)));
    if (place === this.#current && at < 9) {
      const key = document.createElement("kbd");
      key.textContent = String(at + 1);
      button.append(key, " ");
    }
    button.append(words);
    return button;
  }

  /** Say the value at `at` of a line, or take it back when it is said already, and go on to the next line. */
  #choose(place, at) {
    const definition = this.#definitions[place];
    const chosen = valuesOf(definition)[at];
    if (!chosen) return;
    const again = this.#editor.selectedLabel.attributes[definition.name] === chosen.value;
    this.#editor.describe(definition.name, again ? undefined : chosen.value);
    this.#current = again ? place : Math.min(place + 1, this.#definitions.length - 1);
    this.#show();
  }

  #clicked(event) {
    const button = event.target.closest("[data-line]");
    if (button) this.#choose(Number(button.dataset.line), Number(button.dataset.value));
  }

  /** Digits choose, arrows go from line to line, Enter is done. No key here means what it means on the picture. */
  #key(event) {
    if (event.key === "Escape" || event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (/^[1-9]$/.test(event.key)) this.#choose(this.#current, Number(event.key) - 1);
    else if (step) {
      this.#current = (this.#current + step + this.#definitions.length) % this.#definitions.length;
      this.#show();
    } else if (event.key === "Enter") return this.#done(event);
    else return;
    event.preventDefault();
  }

  #done(event) {
    event.preventDefault();
    const label = this.#editor.selectedLabel;
    const left = label ? lacking(label, this.#definitions) : [];
    if (this.#then && left.length) {
      this.#current = this.#definitions.indexOf(left[0]);
      return this.#show();
    }
    const then = this.#then;
    this.#sheets.close();
    then?.();
  }
}
