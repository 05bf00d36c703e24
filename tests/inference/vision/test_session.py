import hashlib

import numpy as np
import pytest

from inference.vision.exceptions import (
    ClassesMissing,
    DigestMismatch,
    InputInvalid,
    ModelNotSupported,
    ModelUnreadable,
)
from inference.vision.preprocess import InputSpec
from inference.vision.session import Detector

from . import synthetic
from .conftest import DEMO_SHA256

ROWS = np.zeros((6, 10), np.float32)
ROWS[:, 0] = (32, 20, 16, 8, 0.1, 0.9)


def test_the_demo_model_is_understood_without_being_told_anything(demo_model):
    detector = Detector.open(demo_model)
    assert detector.decoder.name == "nanodet"
    assert detector.classes[:3] == ("person", "bicycle", "car")
    assert detector.input == InputSpec(
        416, 416, colour="BGR", mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395)
    )


def test_the_demo_model_sees_what_walks_in_the_yard(demo_detector, yard_frame):
    found = demo_detector.detect(yard_frame, 0.25)
    people = [d for d in found if d.name == "person" and d.confidence >= 0.6]
    assert len(people) == 7
    x, y, width, height = people[0].box
    assert (x, y, width, height) == pytest.approx((372, 230, 47, 96), abs=2)
    doubtful = {d.name for d in found if d.confidence < 0.6}
    assert {"sports ball", "truck", "car"} <= doubtful
    for detection in found:
        x, y, width, height = detection.box
        assert 0 <= x <= x + width <= 768.001
        assert 0 <= y <= y + height <= 576.001


def test_the_same_frame_gives_the_same_answer_twice(demo_detector, yard_frame):
    assert demo_detector.detect(yard_frame, 0.25) == demo_detector.detect(yard_frame, 0.25)


def test_one_flipped_bit_in_the_weights_is_found_at_load(demo_model, tmp_path):
    data = bytearray(demo_model.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(data)
    with pytest.raises(DigestMismatch) as refused:
        Detector.open(damaged, sha256=DEMO_SHA256)
    assert refused.value.code == "digest_mismatch"
    assert DEMO_SHA256 in refused.value.message
    # Without a digest it would have been run: that is why there is one.
    assert Detector.open(damaged).sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x0a", b"PK\x03\x04" + b"\0" * 60, b"\xff" * 40])
def test_it_refuses_a_file_that_is_no_model(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelUnreadable):
        Detector.open(path)


def test_it_refuses_a_model_that_is_cut_off(demo_model, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(demo_model.read_bytes()[:100_000])
    with pytest.raises(ModelUnreadable):
        Detector.open(path)


def test_it_refuses_a_model_that_is_not_there(tmp_path):
    with pytest.raises(ModelUnreadable):
        Detector.open(tmp_path / "m.onnx")


def test_what_cannot_be_decoded_is_refused_with_what_was_found_and_what_is_supported(tmp_path):
    path = synthetic.save(
        tmp_path / "m.onnx", {"boxes": np.zeros((1, 7, 6), np.float32)}, metadata={"names": "['a', 'b']", "who": "x"}
    )
    with pytest.raises(ModelNotSupported) as refused:
        Detector.open(path)
    assert refused.value.code == "model_not_supported"
    for said in ("images [1, 3, 64, 64]", "boxes [1, 7, 6]", "tensor(float)", "names, who", "nanodet", "yolov8"):
        assert said in refused.value.message


def test_another_task_of_the_same_family_is_refused(tmp_path):
    path = synthetic.yolo(tmp_path / "m.onnx", ROWS, ["a", "b"], metadata={"task": "obb"})
    with pytest.raises(ModelNotSupported):
        Detector.open(path)


def test_classes_can_be_given_when_the_model_names_none(tmp_path):
    path = synthetic.save(tmp_path / "m.onnx", {"output0": ROWS[None]})
    with pytest.raises(ModelNotSupported):
        Detector.open(path)
    assert Detector.open(path, classes=["cat", "dog"]).classes == ("cat", "dog")


@pytest.mark.parametrize("names", [["a", "a"], ["a", "b\nc"], ["a", "b" * 101]])
def test_it_refuses_class_names_that_cannot_be_told_apart_or_shown(tmp_path, names):
    path = synthetic.save(tmp_path / "m.onnx", {"output0": ROWS[None]})
    with pytest.raises(ClassesMissing):
        Detector.open(path, classes=names)


def test_an_input_description_that_does_not_fit_the_model_is_refused(tmp_path):
    path = synthetic.yolo(tmp_path / "m.onnx", ROWS, ["a", "b"])
    with pytest.raises(InputInvalid):
        Detector.open(path, spec=InputSpec(32, 32))
    with pytest.raises(InputInvalid):
        Detector.open(path, spec=InputSpec(64, 64, layout="NHWC"))
    assert Detector.open(path, spec=InputSpec(64, 64, colour="BGR")).input.colour == "BGR"


def test_mean_and_deviation_of_the_metadata_replace_the_usual_ones(tmp_path):
    path = synthetic.yolo(tmp_path / "m.onnx", ROWS, ["a", "b"], metadata={"mean": "[1, 2, 3]", "std": "[4.5, 5, 6]"})
    spec = Detector.open(path).input
    assert (spec.mean, spec.std) == ((1.0, 2.0, 3.0), (4.5, 5.0, 6.0))
