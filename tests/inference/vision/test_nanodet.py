import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.vision.decoders.nanodet import expected_distances
from inference.vision.exceptions import OutputInvalid
from inference.vision.session import Detector

from . import synthetic

BINS = 8
CELLS = (64, 16, 4)


def slow_expectation(logits):
    """One side: softmax over its bins, then the mean of the bin numbers, with plain floats."""
    weights = [math.exp(value - max(logits)) for value in logits]
    return sum(i * w for i, w in enumerate(weights)) / sum(weights)


@given(arrays(np.float32, st.tuples(st.integers(0, 4), st.just(4 * BINS)), elements=st.floats(-80, 80, width=32)))
def test_distances_are_the_expectation_of_their_distribution(logits):
    expected = [[slow_expectation(row[s * BINS : (s + 1) * BINS].tolist()) for s in range(4)] for row in logits]
    np.testing.assert_allclose(expected_distances(logits), np.array(expected).reshape(-1, 4), atol=1e-3)


def one_box(stride_at, cell, class_index, score, sides, classes=3):
    """Outputs that hold one box: `sides` are whole distances in strides."""
    scores = [np.zeros((n, classes), np.float32) for n in CELLS]
    distances = [np.zeros((n, 4 * BINS), np.float32) for n in CELLS]
    scores[stride_at][cell, class_index] = score
    for side, distance in enumerate(sides):
        distances[stride_at][cell, side * BINS + distance] = 60
    return scores, distances


def test_a_box_stands_where_its_cell_and_distances_say(tmp_path):
    path = synthetic.nanodet(tmp_path / "m.onnx", *one_box(1, 6, 2, 0.7, (1, 0, 1, 2)), ["a", "b", "c"])
    detector = Detector.open(path)
    assert detector.decoder.name == "nanodet"
    assert detector.input.colour == "BGR"
    found = detector.detect(np.zeros((64, 64, 3), np.uint8), 0.25)
    # Cell 6 of a 4 x 4 grid with stride 16 has its centre at (40, 24).
    assert [(d.name, d.box) for d in found] == [("c", (24.0, 24.0, 32.0, 32.0))]
    assert found[0].confidence == pytest.approx(0.7, abs=1e-4)


@pytest.mark.parametrize("scores_last", [False, True])
@pytest.mark.parametrize("classes", [3, 8, 4 * BINS])
def test_outputs_are_told_apart_in_any_order_even_when_they_are_equally_wide(tmp_path, classes, scores_last):
    scores, distances = one_box(1, 6, 2, 0.7, (1, 0, 1, 2), classes)
    names = [f"class {number}" for number in range(classes)]
    path = synthetic.nanodet(tmp_path / "m.onnx", scores, distances, names, scores_last=scores_last)
    found = Detector.open(path).detect(np.zeros((64, 64, 3), np.uint8), 0.25)
    assert [(d.name, d.box) for d in found] == [("class 2", (24.0, 24.0, 32.0, 32.0))]


def test_boxes_come_back_in_the_frames_own_pixels(tmp_path):
    path = synthetic.nanodet(tmp_path / "m.onnx", *one_box(1, 6, 2, 0.7, (1, 0, 1, 2)), ["a", "b", "c"])
    found = Detector.open(path).detect(np.zeros((128, 320, 3), np.uint8), 0.25)
    assert found[0].box == (120.0, 48.0, 160.0, 64.0)


def test_nothing_below_the_floor_is_given(tmp_path):
    path = synthetic.nanodet(tmp_path / "m.onnx", *one_box(0, 0, 0, 0.39, (1, 1, 1, 1)), ["a", "b", "c"])
    assert Detector.open(path).detect(np.zeros((64, 64, 3), np.uint8), 0.4) == []


@pytest.mark.parametrize("score", [4.2, float("nan")])
def test_it_refuses_scores_that_are_no_probabilities(tmp_path, score):
    path = synthetic.nanodet(tmp_path / "m.onnx", *one_box(0, 0, 0, score, (1, 1, 1, 1)), ["a", "b", "c"])
    with pytest.raises(OutputInvalid):
        Detector.open(path).detect(np.zeros((64, 64, 3), np.uint8), 0.4)
