/** The class finder: type a part of a class's name, arrows choose, Enter takes it. */

export class Typeahead {
  #root;
  #input;
  #list;
  #choose;
  #at = 0;

  /**
   * @param {HTMLElement} root the desk
   * @param {(className: string) => void} choose
   */
  constructor(root, choose) {
    this.#root = root.querySelector("[data-typeahead]");
    this.#input = this.#root.querySelector("input");
    this.#list = this.#root.querySelector("[data-typeahead-list]");
    this.#choose = choose;
    this.#input.addEventListener("input", () => this.#filter());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", (event) => this.#take(event.target.closest("[role=option]")));
    this.#root.addEventListener("focusout", (event) => {
      if (!this.#root.contains(event.relatedTarget)) this.#root.hidden = true;
    });
  }

  /** Open it, with every class listed. */
  open() {
    this.#root.hidden = false;
    this.#input.value = "";
    this.#filter();
    this.#input.focus();
  }

  close() {
    this.#root.hidden = true;
  }

  get #options() {
    return [...this.#list.querySelectorAll("[role=option]")].filter((option) => !option.hidden);
  }

  #filter() {
    const typed = this.#input.value.trim().toLocaleLowerCase();
    for (const option of this.#list.querySelectorAll("[role=option]")) {
      option.hidden = !option.dataset.className.toLocaleLowerCase().includes(typed);
    }
    const starts = this.#options.findIndex((option) => option.dataset.className.toLocaleLowerCase().startsWith(typed));
    this.#mark(Math.max(starts, 0));
  }

  #mark(at) {
    const options = this.#options;
    this.#at = Math.min(Math.max(at, 0), options.length - 1);
    for (const option of this.#list.querySelectorAll("[aria-selected=true]")) option.setAttribute("aria-selected", "false");
    const option = options[this.#at];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
  }

  #key(event) {
    const actions = {
      ArrowDown: () => this.#mark(this.#at + 1),
      ArrowUp: () => this.#mark(this.#at - 1),
      Enter: () => this.#take(this.#options[this.#at]),
      Escape: () => this.#leave(),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  #take(option) {
    if (!option) return;
    this.#leave();
    this.#choose(option.dataset.className);
  }

  #leave() {
    this.close();
    document.querySelector("[data-stage]").focus({ preventScroll: true });
  }
}
