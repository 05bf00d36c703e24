/**
 * The small correcting editor: what is selected, what is being done, and the line of states behind Undo. It draws through
 * `BoxView` and is moved by commands (keys, buttons) and by `Pointer`.
 */
import { BoxView } from "./boxview.js";
import { boxInView, clampBox, moveBox, resizeBox, sameBox } from "./geometry.js";
import { History } from "./history.js";
import { changed, drawn, fromPredictions, kept, without } from "./labels.js";
import { Pointer } from "./pointer.js";
import { Viewport } from "./viewport.js";

const FAR_PX = 10;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NOTHING = { id: "", frame: { width: 1, height: 1 }, predictions: [], subject: [], task: "detection" };

export class Editor {
  #stage;
  #view;
  #viewport;
  #classes;
  #figure;
  #onChange;
  #canEdit;
  #event = NOTHING;
  #history = new History([]);
  #selected = null;
  #isActive = false;
  #mode = "idle";
  #preview = null;
  #showsOriginal = false;
  #drawnCount = 0;

  /**
   * @param {HTMLElement} stage holds `[data-boxes-layer]` and `[data-chips]`
   * @param {{classes: object[], formatConfidence: (value: number) => string, onChange?: () => void, canEdit?: boolean}} options
   */
  constructor(stage, { classes, formatConfidence, onChange = () => {}, canEdit = true }) {
    this.#stage = stage;
    this.#classes = classes;
    this.#figure = formatConfidence;
    this.#onChange = onChange;
    this.#canEdit = canEdit;
    const layer = stage.querySelector("[data-boxes-layer]");
    const looks = new Map(classes.map((entry) => [entry.name, { colour: entry.colour, mark: entry.key || entry.letter }]));
    this.#view = new BoxView(stage, layer, stage.querySelector("[data-chips]"), looks);
    this.#viewport = new Viewport(stage, layer, () => this.#view.relayout());
    this.#view.viewport = this.#viewport;
    new Pointer(stage, this.#viewport, this);
  }

  /** Show an event with its picture element (null while there is none); `labels` brings back earlier work. */
  load(event, picture, labels = null) {
    this.#event = event;
    const start = fromPredictions(event.predictions, event.subject);
    this.#history = new History(start);
    if (labels) this.#history.push(labels);
    this.#mode = "idle";
    this.#preview = null;
    this.#showsOriginal = false;
    this.#deselect();
    this.#viewport.show(picture, event.frame, event.place);
    this.#refresh();
  }

  /** Show nothing. */
  clear() {
    this.load(NOTHING, null);
  }

  get labels() { return this.#history.now; }
  get frame() { return this.#event.frame; }
  get selected() { return this.#selected; }
  get isActive() { return this.#isActive; }
  get isDrawing() { return this.#mode === "draw"; }
  get mode() { return this.#mode; }
  get canEdit() { return this.#canEdit && !this.#showsOriginal; }
  get showsOriginal() { return this.#showsOriginal; }
  get selectedLabel() { return this.labels.find((label) => label.id === this.#selected) || null; }
  get selectedBox() { return this.selectedLabel?.box || null; }

  #deselect() {
    const first = this.labels.find((label) => label.subject) || this.labels[0];
    this.#selected = first ? first.id : null;
    this.#isActive = false;
  }

  #refresh() {
    const labels = this.#showsOriginal ? this.#history.first : this.labels;
    const shown = labels.map((label) => ({
      ...label,
      box: label.id === this.#selected && this.#preview && this.#mode !== "draw" ? this.#preview : label.box,
      figure: label.confidence === null ? "" : this.#figure(label.confidence),
    }));
    const band = this.#mode === "draw" ? this.#preview : null;
    this.#stage.dataset.mode = this.#mode;
    this.#stage.toggleAttribute("data-original", this.#showsOriginal);
    this.#view.draw({ shown, ghosts: this.#ghosts(), selected: this.#selected, active: this.#isActive, band });
    this.#onChange();
  }

  #ghosts() {
    if (this.#showsOriginal) return [];
    const gone = (start) => {
      const now = this.labels.find((label) => label.id === start.id);
      return start.box && !(now && sameBox(now.box, start.box));
    };
    return this.#canEdit ? this.#history.first.filter(gone).map((label) => label.box) : [];
  }

  #commit(labels, tag = "") {
    this.#history.push(labels, tag);
    this.#preview = null;
    if (!this.selectedLabel) this.#deselect();
    this.#refresh();
  }

  /** Select a label, or (null) fall back to the quiet selection of the subject. */
  select(id) {
    if (id === null) this.#deselect();
    else [this.#selected, this.#isActive] = [id, true];
    this.#refresh();
  }

  /** Show a box while it is dragged. */
  preview(box) {
    this.#preview = box;
    this.#refresh();
  }

  dropPreview() {
    this.#preview = null;
    this.#refresh();
  }

  /** End a drag: `finish` gets the box and returns the one to keep. */
  settle(finish) {
    if (!this.#preview) return;
    const box = finish(this.#preview);
    if (this.#mode === "draw") this.#add(box);
    else this.#setBox(box, "");
  }

  #setBox(box, tag) {
    this.#isActive = true;
    this.#commit(changed(this.labels, this.#selected, { box: clampBox(box, this.frame) }), tag);
  }

  #add(box) {
    this.#drawnCount += 1;
    const id = `new-${this.#drawnCount}`;
    const className = this.selectedLabel?.class || this.#classes[0]?.name;
    this.#mode = "idle";
    if (!className) return this.dropPreview();
    const labels = [...this.labels, drawn(id, className, box && clampBox(box, this.frame))];
    [this.#selected, this.#isActive] = [id, true];
    return this.#commit(labels);
  }

  #step(by) {
    const { labels } = this;
    if (!labels.length) return false;
    const at = labels.findIndex((label) => label.id === this.#selected);
    const next = this.#isActive ? (at + by + labels.length) % labels.length : Math.max(at, 0);
    this.select(labels[next].id);
    return true;
  }

  /** Select the next box by Tab; false at the end, where Tab leaves the picture. */
  tab(backwards) {
    const at = this.#isActive ? this.labels.findIndex((label) => label.id === this.#selected) : backwards ? this.labels.length : -1;
    const next = at + (backwards ? -1 : 1);
    if (next < 0 || next >= this.labels.length) return false;
    this.select(this.labels[next].id);
    return true;
  }

  /** Give the selected label another class; with nothing to relabel in a classification, add the class. */
  relabel(className) {
    if (!this.canEdit) return false;
    if (!this.selectedLabel) return this.#event.task === "classification" ? this.#addNamed(className) : false;
    const { class: before, attributes } = this.selectedLabel;
    const fields = { class: className, attributes: kept(attributes, this.definitionsOf(className)) };
    if (before !== className) this.#commit(changed(this.labels, this.#selected, fields));
    return true;
  }

  /** What is asked about things of a class besides. */
  definitionsOf(className) {
    return this.#classes.find((entry) => entry.name === className)?.attributes || [];
  }

  /** Say an attribute of the selected label; `undefined` takes it back. */
  describe(name, value) {
    if (!this.selectedLabel || !this.canEdit) return false;
    const { [name]: _before, ...rest } = this.selectedLabel.attributes;
    const attributes = value === undefined ? rest : { ...rest, [name]: value };
    this.#isActive = true;
    this.#commit(changed(this.labels, this.#selected, { attributes }), `attributes:${this.#selected}`);
    return true;
  }

  #addNamed(className) {
    this.#add(null);
    return this.relabel(className);
  }

  #relabelByKey(key) {
    const entry = this.#classes.find((candidate) => candidate.key === key);
    return entry ? this.relabel(entry.name) : false;
  }

  #draw() {
    if (!this.canEdit || this.#event.task === "classification") return false;
    if (this.#mode === "draw") this.#add(boxInView(this.#viewport.view, this.frame));
    else {
      this.#mode = "draw";
      this.#refresh();
    }
    return true;
  }

  #arrow(chord, distance) {
    const [dx, dy] = DIRECTIONS[chord.split("+").pop()];
    if (!this.canEdit) return false;
    if (this.#mode === "draw") return this.#draw();
    const box = this.selectedBox;
    if (!box) return false;
    const [x, y] = [dx * distance, dy * distance];
    const next = this.#mode === "resize" ? resizeBox(box, "se", x, y, this.frame) : moveBox(box, x, y, this.frame);
    this.#setBox(next, `${this.#mode}:${this.#selected}`);
    return true;
  }

  #toggleResize() {
    if (!this.selectedBox || !this.canEdit) return false;
    this.#mode = this.#mode === "resize" ? "idle" : "resize";
    this.#isActive = true;
    this.#refresh();
    return true;
  }

  #remove() {
    if (!this.selectedLabel || !this.canEdit) return false;
    this.#mode = "idle";
    this.#commit(without(this.labels, this.#selected));
    return true;
  }

  #travel(way) {
    if (!this.canEdit || !this.#history[way]()) return false;
    if (!this.selectedLabel) this.#deselect();
    this.#refresh();
    return true;
  }

  #toggleOriginal() {
    this.#showsOriginal = !this.#showsOriginal;
    this.#refresh();
    return true;
  }

  /** Step back one notch: the mode, then the selection, then all edits (which Undo brings back). */
  #escape() {
    if (this.#mode !== "idle") this.#mode = "idle";
    else if (this.#isActive) this.#deselect();
    else if (this.labels !== this.#history.first) this.#history.push(this.#history.first);
    else return false;
    this.#preview = null;
    this.#refresh();
    return true;
  }

  #pan(chord) {
    this.#viewport.panStep(...DIRECTIONS[chord.split("+").pop()]);
    return true;
  }

  #zoom(steps) {
    this.#viewport.zoom(steps);
    return true;
  }

  /**
   * Carry out a command of the keymap.
   * @returns {boolean} false when it is not the editor's, or means nothing now
   */
  run(command, chord = "") {
    const commands = {
      "next-box": () => this.#step(1),
      "previous-box": () => this.#step(-1),
      relabel: () => this.#relabelByKey(chord),
      draw: () => this.#draw(),
      move: () => this.#arrow(chord, 1),
      "move-far": () => this.#arrow(chord, FAR_PX),
      resize: () => this.#toggleResize(),
      remove: () => this.#remove(),
      "undo-edit": () => this.#travel("undo"),
      "redo-edit": () => this.#travel("redo"),
      escape: () => this.#escape(),
      "toggle-original": () => this.#toggleOriginal(),
      "zoom-in": () => this.#zoom(1),
      "zoom-out": () => this.#zoom(-1),
      fit: () => { this.#viewport.fit(); return true; },
      pan: () => this.#pan(chord),
    };
    return commands[command] ? commands[command]() : false;
  }
}
