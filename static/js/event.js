/** The picture of the event page: the desk's boxes, to look at only. Two buttons show the model's or the person's. */
import { Editor } from "./desk/editor.js";

const PALETTE = 8;

/** How each class looks: as on the desk where the item's queue has it, otherwise a steady slot of the palette. */
function looks(names, classes) {
  const known = new Map(classes.map((one) => [one.name, one]));
  return names.map((name, index) => known.get(name) || { name, colour: (index % PALETTE) + 1, key: "", letter: name.slice(0, 1).toUpperCase() });
}

function fromLabels(labels) {
  return labels.map((label, index) => ({ id: `l${index}`, class: label.class, box: label.box || null, confidence: null, attributes: {} }));
}

function start(root) {
  const payload = JSON.parse(document.getElementById("event-payload").textContent);
  const { labels } = payload;
  const event = { ...payload.event, place: payload.place };
  const sides = { model: event, person: { ...event, predictions: fromLabels(labels), subject: labels.map((label, index) => `l${index}`) } };
  const names = [...new Set([...event.predictions, ...labels].map((entry) => entry.class))].sort();
  const figures = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const editor = new Editor(root.querySelector("[data-stage]"), { classes: looks(names, payload.classes || []), formatConfidence: (value) => figures.format(value), canEdit: false });
  const picture = payload.picture ? new Image() : null;
  const show = (side) => {
    editor.load(sides[side], picture);
    for (const button of document.querySelectorAll("[data-side]")) button.setAttribute("aria-pressed", String(button.dataset.side === side));
  };
  if (picture) {
    Object.assign(picture, { className: "stage__picture", alt: "", draggable: false, src: payload.picture });
    root.querySelector("[data-stage]").prepend(picture);
  }
  document.addEventListener("click", (click) => {
    const button = click.target.closest("[data-side]");
    if (button) show(button.dataset.side);
  });
  show(labels.length ? "person" : "model");
}

const root = document.querySelector("[data-event-picture]");
if (root) start(root);
