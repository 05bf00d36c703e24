"""The labels that an answer stands for: written out in full, bounded by the frame, in the words of the taxonomy."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from review import names
from review.actions.attributes import definitions_of, fitting, require_attributes
from review.models import Event, Item, TaxonomyClass
from review.schemas import LabelIn, VerdictIn


def labels_of(item: Item, answer: VerdictIn) -> list[dict[str, Any]]:
    """The labels that an answer stands for, written out in full, in pixels of the upright frame.

    Confirm takes the predictions as they are: all of them, or only the subject when the frame is not complete. Labels
    that come with it may add attributes that the model said nothing about.
    Raises Invalid `unknown_class`, `unknown_prediction`, `label_outside_frame`, `labels_do_not_confirm`,
    `index_mismatch`, or what `require_attributes` refuses.
    """
    event = item.event
    if answer.answer == "confirm":
        return confirmed_labels(item, answer)
    labels = with_classes(item, [label_row(event, label) for label in answer.labels])
    require_indexes(answer, [label["index"] for label in labels])
    require_predictions(event, labels)
    require_attributes(labels, definitions_of(item.queue.taxonomy_id, {label["index"] for label in labels}))
    return labels


def confirmed_labels(item: Item, answer: VerdictIn) -> list[dict[str, Any]]:
    event = item.event
    posted = list(event.predictions if answer.complete else event.subject_predictions)
    ours = names.in_our_words(event, posted, item.queue.taxonomy_id)
    said = {(label.prediction, label.class_) for label in answer.labels}
    if said - {(prediction["id"], prediction["class"]) for prediction in [*posted, *ours]}:
        raise Invalid(
            _("These labels are no confirmation of the predictions; send correct."), code="labels_do_not_confirm"
        )
    labels = with_classes(item, [prediction_label(event, prediction) for prediction in ours])
    definitions = definitions_of(item.queue.taxonomy_id, {label["index"] for label in labels})
    added = {label.prediction: dict(label.attributes) for label in answer.labels}
    for label in labels:
        modelled = fitting(definitions.get(label["index"], ()), label["attributes"])
        label["attributes"] = added.get(label["prediction"], {}) | modelled
        if added.get(label["prediction"], {}).items() - label["attributes"].items():
            raise Invalid(
                _("An attribute is another one than the model's; send correct."), code="labels_do_not_confirm"
            )
    sent = {label.prediction: f"$.labels[{place}]" for place, label in enumerate(answer.labels)}
    require_attributes(labels, definitions, [sent.get(label["prediction"], "$.labels") for label in labels])
    indexes = {label["prediction"]: label["index"] for label in labels}
    require_indexes(answer, [indexes[str(label.prediction)] for label in answer.labels])
    return labels


def prediction_label(event: Event, prediction: dict[str, Any]) -> dict[str, Any]:
    """A prediction as a label: same class and geometry, clipped to the frame."""
    label = {
        "class": prediction["class"],
        "attributes": prediction.get("attributes", {}),
        "prediction": prediction["id"],
    }
    if "box" in prediction:
        label["box"] = clip(prediction["box"], event)
    if "polygon" in prediction:
        label["polygon"] = clip_polygon(prediction["polygon"], event)
    return label


def label_row(event: Event, label: LabelIn) -> dict[str, Any]:
    """A label as sent, bounded by the frame."""
    row: dict[str, Any] = {"class": label.class_, "attributes": dict(label.attributes)}
    if label.prediction is not None:
        row["prediction"] = label.prediction
    if label.box is not None:
        row["box"] = clip(label.box, event)
    if label.polygon is not None:
        row["polygon"] = clip_polygon(label.polygon, event)
    if event.task == "detection" and label.box is None:
        raise Invalid(_("A label of a detection needs a box."), code="box_required")
    if event.task == "segmentation" and label.polygon is None and label.box is None:
        raise Invalid(_("A label of a segmentation needs a polygon or a box."), code="polygon_required")
    return row


def clip(box: Any, event: Event) -> list[float]:
    """`[x, y, width, height]` inside the frame. Raises Invalid `label_outside_frame` when nothing is left of it."""
    left, top = max(float(box[0]), 0.0), max(float(box[1]), 0.0)
    right = min(float(box[0]) + float(box[2]), float(event.frame_width_px))
    bottom = min(float(box[1]) + float(box[3]), float(event.frame_height_px))
    if right <= left or bottom <= top:
        raise Invalid(_("A box lies outside the picture."), code="label_outside_frame")
    # A thousandth of a pixel at least, so that rounding never makes a box of nothing.
    return [round(left, 3), round(top, 3), max(round(right - left, 3), 0.001), max(round(bottom - top, 3), 0.001)]


def clip_polygon(polygon: Any, event: Event) -> list[list[float]]:
    """`[[x, y], ...]` with every corner inside the frame. Raises Invalid `label_outside_frame` when no area is left."""
    width, height = float(event.frame_width_px), float(event.frame_height_px)
    inside = [[min(max(float(x), 0.0), width), min(max(float(y), 0.0), height)] for x, y in polygon]
    if any(len({corner[side] for corner in inside}) == 1 for side in (0, 1)):
        raise Invalid(_("A polygon lies outside the picture."), code="label_outside_frame")
    return inside


def with_classes(item: Item, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Labels with the name that their class has today, and its permanent index; a former name is understood.

    Raises Invalid `unknown_class` for what is no class of the queue, or is retired.
    """
    if not labels:
        return labels
    known = classes_named(item.queue.taxonomy_id, {label["class"] for label in labels})
    if missing := sorted({label["class"] for label in labels} - known.keys()):
        raise Invalid(
            _("%(name)s is no class of this queue; choose one of its classes.") % {"name": missing[0]},
            code="unknown_class",
            classes=missing,
        )
    return [label | dict(zip(("class", "index"), known[label["class"]], strict=True)) for label in labels]


def classes_named(taxonomy_id: UUID, wanted: set[str]) -> dict[str, tuple[str, int]]:
    """Today's name and the index of the live classes that have or had one of these names."""
    rows = TaxonomyClass.objects.filter(taxonomy_id=taxonomy_id, retired_at=None)
    rows = rows.filter(Q(name__in=wanted) | Q(former_names__name__in=wanted))
    known: dict[str, tuple[str, int]] = {}
    for name, index, former in rows.values_list("name", "index", "former_names__name"):
        known[name] = (name, index)
        if former is not None:
            known[former] = (name, index)
    return known


def require_indexes(answer: VerdictIn, indexes: list[int]) -> None:
    """Raise Invalid `index_mismatch` for labels whose index is not the one that their class has, `indexes` in order.

    Somebody meant another class than the one that he names: of the two, neither can be trusted.
    """
    pairs = zip(answer.labels, indexes, strict=True)
    wrong = [place for place, (label, index) in enumerate(pairs) if label.index not in {None, index}]
    if wrong:
        told = str(_("This is not the index of the class that the label names."))
        errors = [{"path": f"$.labels[{place}].index", "message": told} for place in wrong[:20]]
        raise Invalid(told, code="index_mismatch", errors=errors)


def require_predictions(event: Event, labels: list[dict[str, Any]]) -> None:
    known = {prediction["id"] for prediction in event.predictions}
    named = [label["prediction"] for label in labels if "prediction" in label]
    if set(named) - known or len(set(named)) != len(named):
        raise Invalid(_("A label names no prediction of this event, or one twice."), code="unknown_prediction")
