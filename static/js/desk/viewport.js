/**
 * What part of the frame the stage shows. The picture element and the SVG above it are kept in step: the SVG's viewBox is
 * the visible part in frame pixels, the picture is scaled and shifted to the same place.
 */

const MOST_ZOOM = 24;
const STEP = 1.25;
const PAN_SHARE = 0.12;

export class Viewport {
  #stage;
  #svg;
  #picture = null;
  #frame = { width: 1, height: 1 };
  #place = { x: 0, y: 0, width: 1, height: 1 };
  #scale = 1;
  #x = 0;
  #y = 0;
  #fitted = true;
  #changed;

  /**
   * @param {HTMLElement} stage the visible area
   * @param {SVGSVGElement} svg fills the stage
   * @param {() => void} changed called after every change of the view
   */
  constructor(stage, svg, changed) {
    this.#stage = stage;
    this.#svg = svg;
    this.#changed = changed;
    new ResizeObserver(() => (this.#fitted ? this.fit() : this.#apply())).observe(stage);
  }

  /**
   * Show another picture (or null), fitted.
   * @param {{width: number, height: number}} frame in pixels
   * @param {number[]|null} place where a crop lies in the frame, as `[x, y, width, height]`; null for the whole frame
   */
  show(picture, frame, place = null) {
    this.#frame = frame;
    this.#picture = picture;
    const [x, y, width, height] = place || [0, 0, frame.width, frame.height];
    this.#place = { x, y, width, height };
    this.fit();
  }

  /** @returns {number} screen pixels per frame pixel */
  get scale() {
    return this.#scale;
  }

  /** @returns {{x: number, y: number, width: number, height: number}} the visible part, in frame pixels */
  get view() {
    return { x: this.#x, y: this.#y, width: this.#stage.clientWidth / this.#scale, height: this.#stage.clientHeight / this.#scale };
  }

  get isFitted() {
    return this.#fitted;
  }

  #fitScale() {
    const { clientWidth, clientHeight } = this.#stage;
    return Math.max(Math.min(clientWidth / this.#place.width, clientHeight / this.#place.height), 0.01);
  }

  /** Show the whole picture, in the middle. */
  fit() {
    this.#scale = this.#fitScale();
    this.#fitted = true;
    this.#x = this.#place.x + (this.#place.width - this.#stage.clientWidth / this.#scale) / 2;
    this.#y = this.#place.y + (this.#place.height - this.#stage.clientHeight / this.#scale) / 2;
    this.#apply();
  }

  /** Zoom by `steps` around a point of the screen (or the middle). */
  zoom(steps, client = this.#middle()) {
    const before = this.toFrame(client);
    const scale = Math.min(Math.max(this.#scale * STEP ** steps, this.#fitScale()), this.#fitScale() * MOST_ZOOM);
    if (scale <= this.#fitScale() * 1.001) return this.fit();
    this.#scale = scale;
    this.#fitted = false;
    const after = this.toFrame(client);
    return this.panBy(before.x - after.x, before.y - after.y);
  }

  /** Move the view by frame pixels; the frame's middle part never leaves the stage. */
  panBy(dx, dy) {
    const { width, height } = this.view;
    this.#x = hold(this.#x + dx, width, this.#frame.width);
    this.#y = hold(this.#y + dy, height, this.#frame.height);
    this.#apply();
  }

  /** Move the view by a share of itself, one step in a direction. */
  panStep(directionX, directionY) {
    const { width, height } = this.view;
    this.panBy(directionX * width * PAN_SHARE, directionY * height * PAN_SHARE);
  }

  /** @returns {{x: number, y: number}} a point of the screen in frame pixels */
  toFrame({ clientX, clientY }) {
    const bounds = this.#stage.getBoundingClientRect();
    return { x: this.#x + (clientX - bounds.left) / this.#scale, y: this.#y + (clientY - bounds.top) / this.#scale };
  }

  /** @returns {{x: number, y: number}} a frame point in pixels of the stage */
  toStage(x, y) {
    return { x: (x - this.#x) * this.#scale, y: (y - this.#y) * this.#scale };
  }

  #middle() {
    const bounds = this.#stage.getBoundingClientRect();
    return { clientX: bounds.left + bounds.width / 2, clientY: bounds.top + bounds.height / 2 };
  }

  #apply() {
    const { x, y, width, height } = this.view;
    this.#svg.setAttribute("viewBox", `${x} ${y} ${width || 1} ${height || 1}`);
    if (this.#picture) {
      const place = this.toStage(this.#place.x, this.#place.y);
      const { style } = this.#picture;
      style.width = `${this.#place.width * this.#scale}px`;
      style.height = `${this.#place.height * this.#scale}px`;
      style.transform = `translate(${place.x}px, ${place.y}px)`;
    }
    this.#changed();
  }
}

/** Keep the view's start within the frame, or centred when all of it fits. */
function hold(start, visible, whole) {
  if (visible >= whole) return (whole - visible) / 2;
  return Math.min(Math.max(start, 0), whole - visible);
}
