/** Mouse, pen and touch on the stage: select, drag, resize by handles, draw, pan, pinch and wheel. */
import { HANDLES, boxBetween, moveBox, resizeBox, snapBox, under } from "./geometry.js";
import { handlePoint } from "./boxview.js";

const DRAG_FROM_PX = 4;
const HANDLE_REACH_PX = { mouse: 9, pen: 12, touch: 24 };
const BOX_SLACK_PX = { mouse: 2, pen: 4, touch: 12 };
const SNAP_PX = 6;
const WHEEL_STEP = 100;

export class Pointer {
  #stage;
  #viewport;
  #editor;
  #gesture = null;
  #touches = new Map();

  /**
   * @param {HTMLElement} stage
   * @param {import("./viewport.js").Viewport} viewport
   * @param {object} editor what the gestures work on; see `Editor.forPointer`
   */
  constructor(stage, viewport, editor) {
    this.#stage = stage;
    this.#viewport = viewport;
    this.#editor = editor;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#cancel(event));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #wheel(event) {
    event.preventDefault();
    this.#viewport.zoom(-event.deltaY / WHEEL_STEP, event);
  }

  #handleUnder(point, kind) {
    const box = this.#editor.selectedBox;
    if (!box || !this.#editor.canEdit || !this.#editor.isActive) return null;
    const reach = HANDLE_REACH_PX[kind] / this.#viewport.scale;
    const near = (handle) => {
      const at = handlePoint(box, handle);
      return Math.abs(at.x - point.x) <= reach && Math.abs(at.y - point.y) <= reach;
    };
    return HANDLES.find((handle) => handle.length === 2 && near(handle)) || HANDLES.find(near) || null;
  }

  #begin(event, point) {
    const start = { point, client: event, moved: false, before: this.#editor.selectedBox };
    if (event.button === 1) return { ...start, kind: "pan" };
    if (this.#editor.isDrawing) return { ...start, kind: "draw" };
    const handle = this.#handleUnder(point, event.pointerType);
    if (handle) return { ...start, kind: "resize", handle };
    const found = under(this.#editor.labels, point, BOX_SLACK_PX[event.pointerType] / this.#viewport.scale);
    if (!found.length) return { ...start, kind: "pan" };
    const again = found.findIndex((label) => label.id === this.#editor.selected);
    if (again < 0 || !this.#editor.isActive) this.#editor.select(found[Math.max(again, 0)].id);
    const next = again >= 0 ? found[(again + 1) % found.length].id : null;
    return { ...start, kind: this.#editor.canEdit ? "move" : "pan", before: this.#editor.selectedBox, next };
  }

  #down(event) {
    if (event.target.closest("button, a")) return;
    this.#stage.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") this.#touches.set(event.pointerId, event);
    if (this.#touches.size === 2) {
      this.#gesture = { kind: "pinch", spread: this.#spread() };
      return;
    }
    this.#gesture = this.#begin(event, this.#viewport.toFrame(event));
  }

  #spread() {
    const [a, b] = [...this.#touches.values()];
    return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1;
  }

  #pinch() {
    const [a, b] = [...this.#touches.values()];
    if (!b) return;
    const spread = this.#spread();
    const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
    this.#viewport.zoom(Math.log(spread / this.#gesture.spread) / Math.log(1.25), middle);
    this.#gesture.spread = spread;
  }

  #move(event) {
    if (this.#touches.has(event.pointerId)) this.#touches.set(event.pointerId, event);
    const gesture = this.#gesture;
    if (!gesture) return this.#hover(event);
    if (gesture.kind === "pinch") return this.#pinch();
    const far = Math.hypot(event.clientX - gesture.client.clientX, event.clientY - gesture.client.clientY) >= DRAG_FROM_PX;
    gesture.moved ||= far;
    return gesture.moved ? this.#drag(gesture, event) : undefined;
  }

  #drag(gesture, event) {
    const point = this.#viewport.toFrame(event);
    const [dx, dy] = [point.x - gesture.point.x, point.y - gesture.point.y];
    const { frame } = this.#editor;
    if (gesture.kind === "pan") this.#viewport.panBy(-dx, -dy);
    if (gesture.kind === "draw") this.#editor.preview(boxBetween(gesture.point, point, frame));
    if (gesture.kind === "move") this.#editor.preview(moveBox(gesture.before, dx, dy, frame));
    if (gesture.kind === "resize") this.#editor.preview(resizeBox(gesture.before, gesture.handle, dx, dy, frame));
  }

  #hover(event) {
    if (event.pointerType !== "mouse") return;
    const point = this.#viewport.toFrame(event);
    const handle = this.#handleUnder(point, "mouse");
    const over = under(this.#editor.labels, point).length > 0;
    this.#stage.dataset.cursor = this.#editor.isDrawing ? "draw" : handle || (over ? "box" : "");
  }

  #up(event) {
    const gesture = this.#gesture;
    this.#touches.delete(event.pointerId);
    this.#gesture = null;
    if (!gesture || gesture.kind === "pinch") return;
    if (!gesture.moved) return this.#click(gesture);
    const reach = SNAP_PX / this.#viewport.scale;
    if (gesture.kind !== "pan") this.#editor.settle((box) => snapBox(box, reach, this.#editor.frame));
  }

  #click(gesture) {
    if (gesture.kind === "move" && gesture.next) this.#editor.select(gesture.next);
    if (gesture.kind === "pan") this.#editor.select(null);
  }

  #cancel(event) {
    this.#touches.delete(event.pointerId);
    this.#gesture = null;
    this.#editor.dropPreview();
  }
}
