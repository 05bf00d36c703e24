import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.vision import boxes

numbers = st.integers(0, 40)
box = st.tuples(numbers, numbers, numbers, numbers).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
some_boxes = st.lists(box, max_size=12)


def as_array(items):
    return np.array(items, np.float32).reshape(-1, 4)


def slow_iou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union else 0.0


def slow_nms(items, scores, classes, threshold):
    left = sorted(range(len(items)), key=lambda i: (-scores[i], i))
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if classes[i] != classes[best] or slow_iou(items[i], items[best]) <= threshold]
    return kept


@given(some_boxes, some_boxes)
def test_overlap_is_what_counting_by_hand_gives(a, b):
    expected = np.array([[slow_iou(x, y) for y in b] for x in a]).reshape(len(a), len(b))
    np.testing.assert_allclose(boxes.iou_matrix(as_array(a), as_array(b)), expected, atol=1e-6)


@given(
    st.lists(st.tuples(box, st.sampled_from([0.3, 0.5, 0.7]), st.integers(0, 2)), max_size=15),
    st.sampled_from([0.13, 0.47, 0.71]),
)
def test_suppression_keeps_what_the_slow_way_keeps(rows, threshold):
    items, scores, classes = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    kept = boxes.nms(as_array(items), np.array(scores, np.float32), np.array(classes, np.intp), threshold, 100)
    assert kept.tolist() == slow_nms(items, scores, classes, threshold)


def test_suppression_stops_at_its_limit():
    apart = as_array([(i * 10, 0, i * 10 + 5, 5) for i in range(6)])
    kept = boxes.nms(apart, np.linspace(0.1, 0.9, 6, dtype=np.float32), np.zeros(6, np.intp), 0.5, 2)
    assert kept.tolist() == [5, 4]


def test_boxes_are_cut_at_the_frame():
    assert boxes.clip(as_array([(-5, -5, 90, 20)]), 64, 48).tolist() == [[0, 0, 64, 20]]


@pytest.mark.parametrize("fit", [boxes.stretch, boxes.letterbox])
@given(st.integers(1, 3000), st.integers(1, 3000), some_boxes)
def test_the_way_into_the_input_and_back_ends_where_it_began(fit, width, height, items):
    placement = fit(width, height, 640, 416)
    back = placement.to_frame(placement.to_input(as_array(items)))
    np.testing.assert_allclose(back, as_array(items), atol=1e-2 + 1e-4 * max(width, height))


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_letterboxed_frame_lies_inside_the_input_and_touches_two_sides(width, height):
    placed = boxes.letterbox(width, height, 640, 416)
    assert placed.offset_x + placed.width <= 640
    assert placed.offset_y + placed.height <= 416
    assert placed.width == 640 or placed.height == 416
    assert abs((640 - placed.width) - 2 * placed.offset_x) <= 1
    assert abs((416 - placed.height) - 2 * placed.offset_y) <= 1
