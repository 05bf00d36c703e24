"""Roboflow inference JSON: `predictions` with `x` and `y` of the centre, `width`, `height`, `class`, `confidence`."""

from collections.abc import Mapping
from typing import Any

from inference.client.exceptions import BadInput
from inference.client.prediction import Prediction


def predictions_of(response: Mapping[str, Any]) -> list[Prediction]:
    """The predictions of one response, detection, segmentation (`points`) or classification. Raises BadInput."""
    given = response.get("predictions") if isinstance(response, Mapping) else None
    if not isinstance(given, Mapping | list):
        raise BadInput("this response has no predictions")
    try:
        if isinstance(given, Mapping):
            # Several labels at once: {"cat": {"confidence": 0.9}, ...}.
            return [Prediction(str(name), float(one["confidence"])) for name, one in given.items()]
        return [one_of(one) for one in given]
    except KeyError as error:
        raise BadInput(f"a prediction has no {error.args[0]!r}") from error
    except BadInput:
        raise
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"a prediction is not as Roboflow writes them: {error}") from error


def one_of(given: Mapping[str, Any]) -> Prediction:
    name, confidence = given["class"], float(given["confidence"])
    track = str(given["tracker_id"]) if given.get("tracker_id") is not None else None
    if given.get("points"):
        return Prediction(name, confidence, polygon=[[one["x"], one["y"]] for one in given["points"]], track=track)
    if "x" not in given:
        return Prediction(name, confidence)
    width, height = float(given["width"]), float(given["height"])
    box = [float(given["x"]) - width / 2, float(given["y"]) - height / 2, width, height]
    return Prediction(name, confidence, box=box, track=track)
