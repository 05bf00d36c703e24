"""Ultralytics `Results`: boxes (`xyxy`, `conf`, `cls`, `id`), masks (`xy`), or class probabilities (`probs`)."""

from typing import Any

from inference.client.prediction import Prediction

# Of a classifier: classes that come at all, and the least that is worth telling.
TOP = 5
LEAST = 0.01


def predictions_of(result: Any) -> list[Prediction]:
    """The predictions of one `Results` object, in pixels of the picture that it was made from."""
    names = result.names
    if getattr(result, "probs", None) is not None:
        return classes_of(result.probs, names)
    boxes = result.boxes
    if boxes is None:
        return []
    masks = getattr(result, "masks", None)
    tracks = boxes.id
    found = []
    for number, (corners, confidence, index) in enumerate(zip(boxes.xyxy, boxes.conf, boxes.cls, strict=True)):
        left, top, right, bottom = (float(value) for value in corners)
        outline = [[float(x), float(y)] for x, y in masks.xy[number]] if masks is not None else None
        found.append(
            Prediction(
                class_name=str(names[int(index)]),
                confidence=float(confidence),
                box=None if outline else [left, top, right - left, bottom - top],
                polygon=outline or None,
                track=str(int(tracks[number])) if tracks is not None else None,
            )
        )
    return found


def classes_of(probs: Any, names: Any) -> list[Prediction]:
    values = [float(value) for value in probs.data]
    best = sorted(range(len(values)), key=lambda index: values[index], reverse=True)[:TOP]
    return [Prediction(str(names[index]), values[index]) for index in best if values[index] >= LEAST]
