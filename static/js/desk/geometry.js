/**
 * Boxes, pure. A box is `[x, y, width, height]` in pixels of the upright frame (origin top left, y down); a frame is
 * `{width, height}` in pixels; a point is `{x, y}` in the same pixels. No function changes its arguments.
 */

/** The shortest side a box may have, in frame pixels. */
export const LEAST_SIDE = 1;

/** The eight handles of a box: which edges each one moves. */
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

const tenth = (value) => Math.round(value * 10) / 10;
const within = (value, low, high) => Math.min(Math.max(value, low), high);

/** A box brought into the frame: at least one pixel each way, at most the whole frame, rounded to a tenth. */
export function clampBox([x, y, width, height], frame) {
  const w = within(width, LEAST_SIDE, frame.width);
  const h = within(height, LEAST_SIDE, frame.height);
  return [tenth(within(x, 0, frame.width - w)), tenth(within(y, 0, frame.height - h)), tenth(w), tenth(h)];
}

/** A box moved by (dx, dy), stopped at the frame's edge. */
export function moveBox([x, y, width, height], dx, dy, frame) {
  return clampBox([x + dx, y + dy, width, height], frame);
}

function movedEdges(low, high, delta, movesLow, movesHigh, limit) {
  if (movesLow) return [within(low + delta, 0, high - LEAST_SIDE), high];
  if (movesHigh) return [low, within(high + delta, low + LEAST_SIDE, limit)];
  return [low, high];
}

/** A box with the edges of `handle` moved by (dx, dy); opposite edges stay, the frame is never left. */
export function resizeBox([x, y, width, height], handle, dx, dy, frame) {
  const [left, right] = movedEdges(x, x + width, dx, handle.includes("w"), handle.includes("e"), frame.width);
  const [top, bottom] = movedEdges(y, y + height, dy, handle.includes("n"), handle.includes("s"), frame.height);
  return clampBox([left, top, right - left, bottom - top], frame);
}

/** The box between two points, in any order. */
export function boxBetween(a, b, frame) {
  const inX = (value) => within(value, 0, frame.width);
  const inY = (value) => within(value, 0, frame.height);
  const [left, right] = [inX(Math.min(a.x, b.x)), inX(Math.max(a.x, b.x))];
  const [top, bottom] = [inY(Math.min(a.y, b.y)), inY(Math.max(a.y, b.y))];
  return clampBox([left, top, right - left, bottom - top], frame);
}

/** A box whose edges closer than `reach` (frame pixels) to the frame's edge lie on it; used when a drag ends. */
export function snapBox([x, y, width, height], reach, frame) {
  const left = x < reach ? 0 : x;
  const top = y < reach ? 0 : y;
  const right = frame.width - (x + width) < reach ? frame.width : x + width;
  const bottom = frame.height - (y + height) < reach ? frame.height : y + height;
  return clampBox([left, top, right - left, bottom - top], frame);
}

/** Whether two boxes are the same to a tenth of a pixel; two missing ones are. */
export function sameBox(a, b) {
  if (!a || !b) return !a && !b;
  return a.every((value, index) => Math.abs(value - b[index]) < 0.06);
}

/** Whether the sizes differ (rather than only the place). */
export function sameSize(a, b) {
  return Math.abs(a[2] - b[2]) < 0.06 && Math.abs(a[3] - b[3]) < 0.06;
}

/** Whether `point` lies in the box grown by `slack` on each side. */
export function holds([x, y, width, height], point, slack = 0) {
  return point.x >= x - slack && point.x <= x + width + slack && point.y >= y - slack && point.y <= y + height + slack;
}

/** The things under a point, smallest first, so that a small box inside a large one can be reached. */
export function under(things, point, slack = 0) {
  const found = things.filter((thing) => thing.box && holds(thing.box, point, slack));
  return found.sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
}

/** A first box for drawing by keyboard: a fifth of the view around its middle. */
export function boxInView(view, frame) {
  const width = Math.max(view.width / 5, LEAST_SIDE);
  const height = Math.max(view.height / 5, LEAST_SIDE);
  return clampBox([view.x + (view.width - width) / 2, view.y + (view.height - height) / 2, width, height], frame);
}
