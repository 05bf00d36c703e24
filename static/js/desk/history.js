/** Undo and redo inside one item: a line of immutable states. */

export class History {
  #states;
  #at = 0;
  #tag = "";

  /** @param {*} initial the state that Undo ends at */
  constructor(initial) {
    this.#states = [initial];
  }

  /** @returns {*} the current state */
  get now() {
    return this.#states[this.#at];
  }

  get first() {
    return this.#states[0];
  }

  /**
   * Add a state; what was undone is forgotten.
   * @param {*} state
   * @param {string} tag a run of states with the same tag (ten arrow presses) counts as one step
   */
  push(state, tag = "") {
    const kept = this.#states.slice(0, this.#at + 1);
    if (tag && tag === this.#tag && kept.length > 1) kept.pop();
    this.#states = [...kept, state];
    this.#at = this.#states.length - 1;
    this.#tag = tag;
  }

  /** @returns {boolean} whether there was something to undo */
  undo() {
    if (this.#at === 0) return false;
    this.#at -= 1;
    this.#tag = "";
    return true;
  }

  /** @returns {boolean} whether there was something to redo */
  redo() {
    if (this.#at === this.#states.length - 1) return false;
    this.#at += 1;
    this.#tag = "";
    return true;
  }
}
