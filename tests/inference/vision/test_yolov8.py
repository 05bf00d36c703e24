import numpy as np
import pytest
from onnx import TensorProto

from inference.vision.session import Detector

from . import synthetic

NAMES = ["cat", "dog"]
BLACK = np.zeros((64, 64, 3), np.uint8)


def rows(*boxes):
    """Columns of (cx, cy, w, h, score of cat, score of dog), padded with nothing to 10 columns."""
    table = np.zeros((6, 10), np.float32)
    for column, box in enumerate(boxes):
        table[:, column] = box
    return table


def test_centres_and_sizes_become_corners_and_the_class_is_the_row_that_scores(tmp_path):
    path = synthetic.yolo(tmp_path / "m.onnx", rows((32, 20, 16, 8, 0.1, 0.9)), NAMES)
    detector = Detector.open(path)
    assert detector.decoder.name == "yolov8"
    assert detector.classes == ("cat", "dog")
    assert (detector.input.colour, detector.input.fit, detector.input.scale) == ("RGB", "letterbox", 1 / 255)
    found = detector.detect(BLACK, 0.25)
    assert [(d.class_index, d.name, d.confidence, d.box) for d in found] == [(1, "dog", 0.9, (24.0, 16.0, 16.0, 8.0))]


def test_letterboxed_boxes_come_back_in_the_frames_own_pixels(tmp_path):
    path = synthetic.yolo(tmp_path / "m.onnx", rows((32, 32, 16, 8, 0.9, 0)), NAMES)
    found = Detector.open(path).detect(np.zeros((100, 200, 3), np.uint8), 0.25)
    assert found[0].box == pytest.approx((75.0, 37.5, 50.0, 25.0))


def test_overlapping_boxes_of_one_class_become_one_and_of_two_classes_stay(tmp_path):
    near = rows((32, 32, 20, 20, 0.6, 0), (33, 32, 20, 20, 0.8, 0), (32, 32, 20, 20, 0, 0.5))
    found = Detector.open(synthetic.yolo(tmp_path / "m.onnx", near, NAMES)).detect(BLACK, 0.25)
    assert [(d.name, d.confidence) for d in found] == [("cat", 0.8), ("dog", 0.5)]


def test_a_free_input_size_is_taken_from_the_metadata(tmp_path):
    path = synthetic.yolo(
        tmp_path / "m.onnx",
        rows((32, 20, 16, 8, 0.1, 0.9)),
        NAMES,
        shape=(1, 3, "height", "width"),
        metadata={"imgsz": "[32, 96]"},
    )
    spec = Detector.open(path).input
    assert (spec.width, spec.height) == (96, 32)


def test_boxes_are_cut_at_the_frame_and_slivers_are_left_out(tmp_path):
    edge = rows((60, 60, 20, 20, 0.9, 0), (-30, 10, 20, 20, 0.8, 0))
    found = Detector.open(synthetic.yolo(tmp_path / "m.onnx", edge, NAMES)).detect(BLACK, 0.25)
    assert [d.box for d in found] == [(50.0, 50.0, 14.0, 14.0)]


def test_a_half_precision_input_is_fed_in_half_precision(tmp_path):
    path = synthetic.yolo(tmp_path / "m.onnx", rows((32, 20, 16, 8, 0.1, 0.9)), NAMES, dtype=TensorProto.FLOAT16)
    detector = Detector.open(path)
    assert detector.input.dtype == "float16"
    assert len(detector.detect(BLACK, 0.25)) == 1
