"""Results of other libraries, in the shapes that they document."""

from types import SimpleNamespace as Thing
from typing import Any

import numpy as np
import pytest

from inference.client import Prediction
from inference.client.adapters import roboflow, supervision, ultralytics
from inference.client.adapters.fields import FieldMapping
from inference.client.exceptions import BadInput
from inference.client.prediction import task_of

NAMES = {0: "person", 2: "car"}
BOXES = Thing(
    xyxy=np.array([[10, 20, 50, 80], [0, 0, 5.5, 6]]), conf=np.array([0.9, 0.4]), cls=np.array([2.0, 0.0]), id=None
)


def test_ultralytics_boxes_masks_and_classes() -> None:
    found = ultralytics.predictions_of(Thing(names=NAMES, boxes=BOXES, masks=None, probs=None))
    assert [(one.class_name, one.confidence, one.box) for one in found] == [
        ("car", 0.9, [10, 20, 40, 60]),
        ("person", 0.4, [0, 0, 5.5, 6]),
    ]
    tracked = Thing(**vars(BOXES) | {"id": np.array([7.0, 9.0])})
    masks = Thing(xy=[np.array([[1, 2], [3, 4], [5, 2]]), np.array([[0, 0], [5, 0], [5, 6]])])
    found = ultralytics.predictions_of(Thing(names=NAMES, boxes=tracked, masks=masks, probs=None))
    assert (found[0].polygon, found[0].box, found[0].track) == ([[1, 2], [3, 4], [5, 2]], None, "7")
    probs = Thing(data=np.array([0.2, 0.001, 0.7]))
    found = ultralytics.predictions_of(Thing(names={0: "a", 1: "b", 2: "c"}, boxes=None, probs=probs))
    assert [(one.class_name, one.confidence) for one in found] == [("c", 0.7), ("a", 0.2)]


def test_supervision_detections_with_and_without_names() -> None:
    given = Thing(
        xyxy=BOXES.xyxy,
        confidence=np.array([0.9, 0.4]),
        class_id=np.array([2, 0]),
        tracker_id=np.array([1, 2]),
        data={"class_name": np.array(["car", "person"])},
    )
    assert [one.class_name for one in supervision.predictions_of(given)] == ["car", "person"]
    given.data = {}
    assert supervision.predictions_of(given, NAMES)[0].box == [10, 20, 40, 60]
    for broken in ({"data": {}}, {"confidence": None}):
        with pytest.raises(BadInput):
            supervision.predictions_of(Thing(**vars(given) | broken))


def test_roboflow_centres_outlines_and_labels() -> None:
    box = {"x": 30, "y": 50, "width": 40, "height": 60, "class": "car", "confidence": 0.9}
    assert roboflow.predictions_of({"predictions": [box]})[0].box == [10, 20, 40, 60]
    outline = box | {"points": [{"x": 1, "y": 2}, {"x": 3, "y": 4}, {"x": 5, "y": 2}]}
    assert roboflow.predictions_of({"predictions": [outline]})[0].polygon == [[1, 2], [3, 4], [5, 2]]
    labels = {"predictions": {"cat": {"confidence": 0.8}}}
    assert roboflow.predictions_of(labels) == [Prediction("cat", 0.8)]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        None,
        "predictions",
        7,
        {"predictions": "many"},
        {"predictions": [{"class": "x"}]},
        {"predictions": [7]},
        {"predictions": [None]},
        {"predictions": ["x"]},
        {"predictions": {"cat": 0.8}},
        {"predictions": {"cat": {}}},
        {"predictions": [{"class": "x", "confidence": "much"}]},
        {"predictions": [{"class": "x", "confidence": None}]},
        {"predictions": [{"class": "x", "confidence": 0.5, "points": [1, 2]}]},
        {"predictions": [{"class": None, "confidence": 0.5}]},
        {"predictions": [{"class": "", "confidence": 0.5}]},
        {"predictions": [{"class": "x", "confidence": float("nan")}]},
        {"predictions": [{"class": "x", "confidence": 1.5}]},
        {"predictions": [{"class": "x", "confidence": 0.5, "x": float("inf"), "y": 2, "width": 1, "height": 1}]},
        {"predictions": [{"class": "x", "confidence": 0.5, "x": 1, "y": 2, "width": [], "height": 1}]},
    ],
    ids=str,
)
def test_what_is_no_roboflow_response_is_bad_input(broken: Any) -> None:
    with pytest.raises(BadInput):
        roboflow.predictions_of(broken)


def test_a_mapping_without_a_box_has_none_and_says_so_when_asked() -> None:
    mapping = FieldMapping(class_name="label", confidence="score")
    assert mapping.predictions_of([{"label": "cat", "score": 0.5}], frame=(200, 100)) == [Prediction("cat", 0.5)]
    with pytest.raises(BadInput, match="box"):
        mapping.box_of({}, "0", (200, 100))


def test_a_box_that_is_endless_or_a_confidence_over_one_is_refused_by_a_mapping() -> None:
    mapping = FieldMapping(class_name="label", confidence="score", box="bbox")
    for broken in (
        {"score": "inf"},
        {"score": "nan"},
        {"score": 101},
        {"bbox": [0, 0, "inf", 1]},
        {"bbox": [0, "nan", 1, 1]},
    ):
        with pytest.raises(BadInput):
            mapping.predictions_of([{"label": "cat", "score": 0.5, "bbox": [0, 0, 1, 1]} | broken], frame=(9, 9))


MAPPING = FieldMapping(items="out.objects", class_name="label", confidence="score", box="bbox", box_format="xyxy")


@pytest.mark.parametrize(
    ("changes", "item", "box"),
    [
        ({}, {"bbox": [10, 20, 50, 80]}, [10, 20, 40, 60]),
        ({"box_format": "xywh"}, {"bbox": [10, 20, 50, 80]}, [10, 20, 50, 80]),
        ({"box_format": "cxcywh", "relative": True}, {"bbox": [0.5, 0.5, 0.5, 0.5]}, [50, 25, 100, 50]),
        ({"box": "a.x, a.y, a.w, a.h", "box_format": "xywh"}, {"a": {"x": 1, "y": "2", "w": 3, "h": 4}}, [1, 2, 3, 4]),
    ],
)
def test_anything_else_by_a_mapping(changes: dict[str, Any], item: dict[str, Any], box: list[float]) -> None:
    from dataclasses import replace

    mapping = replace(MAPPING, scale=100, names={"c1": "car"}, **changes)
    document = {"out": {"objects": [{"label": "c1", "score": 90} | item]}}
    [found] = mapping.predictions_of(document, frame=(200, 100))
    assert (found.class_name, found.confidence, found.box) == ("car", 0.9, box)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"out": {}}, "out.objects"),
        ({"out": {"objects": "text"}}, "out.objects"),
        ({"out": {"objects": [{"score": 1, "bbox": [1, 2, 3, 4]}]}}, "out.objects.0.label"),
        ({"out": {"objects": [{"label": "x", "score": "much", "bbox": [1, 2, 3, 4]}]}}, "out.objects.0.score"),
        ({"out": {"objects": [{"label": "x", "score": 1, "bbox": [1, 2, 3]}]}}, "out.objects.0.bbox"),
    ],
)
def test_a_mapping_says_where_the_document_differs(document: Any, path: str) -> None:
    with pytest.raises(BadInput, match=path.replace(".", r"\.")):
        MAPPING.predictions_of(document, frame=(200, 100))


def test_one_event_has_one_kind_of_geometry() -> None:
    assert task_of([]) == "detection"
    assert task_of([Prediction("a", 0.5)]) == "classification"
    with pytest.raises(BadInput):
        task_of([Prediction("a", 0.5), Prediction("b", 0.5, box=[1, 1, 2, 2])])
