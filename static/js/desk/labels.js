/**
 * What the person says is in the frame, beside what the model said. Pure.
 *
 * A label is `{id, class, box|null, attributes, prediction: id|null, subject, confidence|null}`. The model's predictions
 * are never changed: a label that came from one carries its id, so both sides can be compared.
 */
import { sameBox, sameSize } from "./geometry.js";

/** The labels that say exactly what the model said, what the item is about first. */
export function fromPredictions(predictions, subject) {
  const labels = predictions.map((prediction) => ({
    id: prediction.id,
    class: prediction.class,
    box: prediction.box ? [...prediction.box] : null,
    attributes: prediction.attributes || {},
    prediction: prediction.id,
    subject: subject.includes(prediction.id),
    confidence: prediction.confidence,
  }));
  return labels.sort((a, b) => Number(b.subject) - Number(a.subject));
}

/** The labels with one of them changed. */
export function changed(labels, id, fields) {
  return labels.map((label) => (label.id === id ? { ...label, ...fields } : label));
}

/** The attributes that a label keeps under another class, which has its own. */
export function kept(attributes, definitions) {
  return Object.fromEntries(Object.entries(attributes).filter(([name, value]) => definitions.some((one) => one.name === name && takes(one, value))));
}

/** Whether a class's attribute has this value. */
export function takes(definition, value) {
  return definition.values.length ? definition.values.includes(value) : typeof value === "boolean";
}

/** The attributes that a label of this class still lacks. */
export function lacking(label, definitions) {
  return definitions.filter((one) => one.required && !(one.name in label.attributes && takes(one, label.attributes[one.name])));
}

/** The labels without one of them. */
export function without(labels, id) {
  return labels.filter((label) => label.id !== id);
}

/** A label that no prediction stands behind; it counts as what is being looked at. */
export function drawn(id, className, box) {
  return { id, class: className, box, attributes: {}, prediction: null, subject: true, confidence: null };
}

/**
 * How a label differs from what the model said.
 * @returns {{added: boolean, relabelled: string|null, moved: boolean, resized: boolean, described: boolean}} `relabelled` is the old class,
 *   `described` that what the model said about it besides was changed
 */
export function difference(label, predictions) {
  const prediction = predictions.find((candidate) => candidate.id === label.prediction);
  if (!prediction) return { added: true, relabelled: null, moved: false, resized: false, described: false };
  const boxChanged = Boolean(label.box) && !sameBox(label.box, prediction.box);
  return {
    added: false,
    relabelled: label.class === prediction.class ? null : prediction.class,
    moved: boxChanged && sameSize(label.box, prediction.box),
    resized: boxChanged && !sameSize(label.box, prediction.box),
    described: Object.entries(prediction.attributes || {}).some(([name, value]) => label.attributes[name] !== value),
  };
}

const differs = ({ added, relabelled, moved, resized, described }) => added || relabelled !== null || moved || resized || described;

/** The predictions that have no label any more. */
export function removed(labels, predictions) {
  return predictions.filter((prediction) => !labels.some((label) => label.prediction === prediction.id));
}

/** Whether the labels say anything else than the predictions. */
export function isChanged(labels, predictions) {
  return removed(labels, predictions).length > 0 || labels.some((label) => differs(difference(label, predictions)));
}

/**
 * What Enter means now.
 * @param {boolean} complete whether the whole frame is judged
 * @returns {"confirm"|"correct"|"empty"}
 */
export function primaryAnswer(labels, predictions, complete) {
  if (!labels.length && (!predictions.length || complete)) return "empty";
  return isChanged(labels, predictions) ? "correct" : "confirm";
}

/** The labels that an answer is about: without `complete` the subject, and what was touched. */
export function judged(labels, predictions, complete) {
  return labels.filter((label) => complete || label.subject || differs(difference(label, predictions)));
}

/** Whether somebody said more about a thing than the model did: that confirms it, and goes along. */
export function saysMore(labels, predictions) {
  const said = new Map(predictions.map((prediction) => [prediction.id, prediction.attributes || {}]));
  return labels.some((label) => Object.keys(label.attributes).some((name) => !(name in (said.get(label.prediction) || {}))));
}

/**
 * The labels as they are sent. Without `complete` only what was looked at goes along: the subject, and what was touched.
 */
export function forSending(labels, predictions, complete) {
  return judged(labels, predictions, complete).map((label) => {
    const sent = { class: label.class, attributes: label.attributes };
    if (label.box) sent.box = label.box;
    if (label.prediction) sent.prediction = label.prediction;
    return sent;
  });
}
