/** Draws boxes over the picture: outlines and handles as SVG in frame pixels, chips as elements in stage pixels. */
import { HANDLES } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const HANDLE_PX = 9;
const GAP_PX = 3;

function svg(name, className) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", className);
  return element;
}

function place(rect, [x, y, width, height]) {
  rect.setAttribute("x", x);
  rect.setAttribute("y", y);
  rect.setAttribute("width", width);
  rect.setAttribute("height", height);
}

function span(className) {
  const element = document.createElement("span");
  element.className = className;
  return element;
}

/** Where a handle sits on a box. */
export function handlePoint([x, y, width, height], handle) {
  const across = handle.includes("w") ? 0 : handle.includes("e") ? 1 : 0.5;
  const down = handle.includes("n") ? 0 : handle.includes("s") ? 1 : 0.5;
  return { x: x + width * across, y: y + height * down };
}

const crosses = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

export class BoxView {
  #viewport;
  #stage;
  #boxes = svg("g", "boxes");
  #ghosts = svg("g", "boxes boxes--ghosts");
  #handles = svg("g", "boxes boxes--handles");
  #chips;
  #classes;
  #marks = new Map();
  #picture = { shown: [], ghosts: [], selected: null, active: false, band: null };

  /**
   * @param {HTMLElement} stage
   * @param {SVGSVGElement} layer
   * @param {HTMLElement} chips holds the chips, above the layer
   * @param {Map<string, {colour: number, mark: string}>} classes by name
   */
  constructor(stage, layer, chips, classes) {
    this.#stage = stage;
    this.#chips = chips;
    this.#classes = classes;
    layer.append(this.#ghosts, this.#boxes, this.#handles);
  }

  /** The viewport comes later, because it needs `relayout` as its callback. */
  set viewport(viewport) {
    this.#viewport = viewport;
  }

  #look(className) {
    return this.#classes.get(className) || { colour: 8, mark: className.slice(0, 1).toUpperCase() };
  }

  #newMark() {
    const group = svg("g", "box");
    const casing = svg("rect", "box__casing");
    const line = svg("rect", "box__line");
    group.append(casing, line);
    this.#boxes.append(group);
    const chip = document.createElement("div");
    const [letter, name, figure] = [span("chip__mark"), span("chip__name"), span("chip__figure")];
    chip.append(letter, name, figure);
    this.#chips.append(chip);
    return { group, casing, line, chip, letter, name, figure, size: null };
  }

  #markOf(label) {
    if (!this.#marks.has(label.id)) this.#marks.set(label.id, this.#newMark());
    return this.#marks.get(label.id);
  }

  #dropGone(shown) {
    for (const [id, mark] of this.#marks) {
      if (shown.some((label) => label.id === id)) continue;
      mark.group.remove();
      mark.chip.remove();
      this.#marks.delete(id);
    }
  }

  #write(label) {
    const mark = this.#markOf(label);
    const { selected, active } = this.#picture;
    const look = this.#look(label.class);
    const states = [label.subject && "subject", label.id === selected && "selected", active && label.id !== selected && "dim"];
    const classes = (base) => [base, ...states.filter(Boolean).map((state) => `${base}--${state}`)].join(" ");
    mark.group.setAttribute("class", classes("box"));
    mark.group.dataset.colour = look.colour;
    mark.chip.className = classes("chip");
    mark.chip.dataset.colour = look.colour;
    mark.letter.textContent = look.mark;
    mark.name.textContent = label.class;
    mark.figure.textContent = label.figure;
    mark.size = null;
    if (!label.box) return;
    place(mark.casing, label.box);
    place(mark.line, label.box);
  }

  /**
   * Draw.
   * @param {{shown: object[], ghosts: number[][], selected: string|null, active: boolean, band: number[]|null}} picture
   *   `shown` are labels with a `figure` text; `ghosts` boxes as the model had them; `active` dims all but the selected;
   *   `band` is the box being drawn
   */
  draw(picture) {
    this.#picture = picture;
    this.#dropGone(picture.shown);
    picture.shown.forEach((label) => this.#write(label));
    this.#drawGhosts();
    this.relayout();
  }

  #drawGhosts() {
    const boxes = this.#picture.band ? [...this.#picture.ghosts, this.#picture.band] : this.#picture.ghosts;
    this.#ghosts.replaceChildren(...boxes.map((box) => {
      const rect = svg("rect", box === this.#picture.band ? "box__band" : "box__ghost");
      place(rect, box);
      return rect;
    }));
  }

  #drawHandles() {
    const label = this.#picture.shown.find((candidate) => candidate.id === this.#picture.selected);
    if (!label?.box || !this.#picture.active) return this.#handles.replaceChildren();
    const size = HANDLE_PX / this.#viewport.scale;
    return this.#handles.replaceChildren(...HANDLES.map((handle) => {
      const rect = svg("rect", `handle handle--${handle}`);
      const point = handlePoint(label.box, handle);
      place(rect, [point.x - size / 2, point.y - size / 2, size, size]);
      return rect;
    }));
  }

  /** Put handles and chips where the view wants them. */
  relayout() {
    if (!this.#viewport) return;
    this.#drawHandles();
    this.#placeChips();
  }

  #placeChips() {
    const boxed = this.#picture.shown.filter((label) => label.box);
    for (const label of boxed) {
      const mark = this.#marks.get(label.id);
      mark.size ||= { width: mark.chip.offsetWidth, height: mark.chip.offsetHeight };
    }
    const rank = (label) => (label.id === this.#picture.selected ? 0 : label.subject ? 1 : 2);
    const taken = [];
    for (const label of boxed.sort((a, b) => rank(a) - rank(b))) this.#placeChip(label, taken);
    for (const label of this.#picture.shown) this.#marks.get(label.id).chip.hidden = !label.box;
  }

  #spots([x, y, width, height], size) {
    const start = this.#viewport.toStage(x, y);
    const end = this.#viewport.toStage(x + width, y + height);
    const above = start.y - size.height - GAP_PX;
    const below = end.y + GAP_PX;
    return [
      { x: start.x, y: above }, { x: start.x, y: below },
      { x: end.x - size.width, y: above }, { x: end.x - size.width, y: below },
      { x: end.x + GAP_PX, y: start.y }, { x: start.x - size.width - GAP_PX, y: start.y },
      { x: start.x + GAP_PX, y: start.y + GAP_PX },
    ].map((spot) => ({ ...spot, ...size }));
  }

  #placeChip(label, taken) {
    const mark = this.#marks.get(label.id);
    const { clientWidth, clientHeight } = this.#stage;
    const inside = (spot) => spot.x >= 0 && spot.y >= 0 && spot.x + spot.width <= clientWidth && spot.y + spot.height <= clientHeight;
    const spots = this.#spots(label.box, mark.size);
    const free = spots.find((spot) => inside(spot) && !taken.some((other) => crosses(spot, other)));
    const spot = free || spots.find(inside) || spots[0];
    mark.chip.classList.toggle("chip--crowded", !free && !label.subject && label.id !== this.#picture.selected);
    taken.push(spot);
    mark.chip.style.transform = `translate(${Math.round(spot.x)}px, ${Math.round(spot.y)}px)`;
  }
}
