"""supervision `Detections`: `xyxy`, `confidence`, `class_id`, `tracker_id`, and names in `data["class_name"]`."""

from collections.abc import Mapping, Sequence
from typing import Any

from inference.client.exceptions import BadInput
from inference.client.prediction import Prediction


def predictions_of(detections: Any, names: Sequence[str] | Mapping[int, str] | None = None) -> list[Prediction]:
    """The predictions of a `Detections` object. `names` by class id, where the object does not carry them itself.

    Raises BadInput without confidences or without names.
    """
    if len(detections.xyxy) and detections.confidence is None:
        raise BadInput("these detections have no confidence")
    carried = detections.data.get("class_name") if detections.data else None
    found = []
    for number, corners in enumerate(detections.xyxy):
        left, top, right, bottom = (float(value) for value in corners)
        found.append(
            Prediction(
                class_name=name_of(number, carried, detections.class_id, names),
                confidence=float(detections.confidence[number]),
                box=[left, top, right - left, bottom - top],
                track=str(int(detections.tracker_id[number])) if detections.tracker_id is not None else None,
            )
        )
    return found


def name_of(number: int, carried: Any, ids: Any, names: Any) -> str:
    if carried is not None:
        return str(carried[number])
    if names is None or ids is None:
        raise BadInput("these detections carry no class names: give names by class id")
    return str(names[int(ids[number])])
