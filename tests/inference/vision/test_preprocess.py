import cv2
import numpy as np
import pytest

from inference.vision.exceptions import FrameInvalid, InputInvalid
from inference.vision.preprocess import InputSpec, Preprocessor

RANDOM = np.random.default_rng(7)


def slow(frame, spec):
    """Pixel by pixel arithmetic in double precision, on a frame that needs no resizing."""
    order = [0, 1, 2] if spec.colour == "BGR" else [2, 1, 0]
    values = (frame[:, :, order].astype(np.float64) * spec.scale - spec.mean) / spec.std
    return values[None] if spec.layout == "NHWC" else values.transpose(2, 0, 1)[None]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["BGR", "RGB"])
@pytest.mark.parametrize(
    "figures", [{}, {"scale": 1 / 255}, {"mean": (103.5, 116.3, 123.7), "std": (57.4, 57.1, 58.4)}]
)
def test_values_and_their_order_are_what_the_description_says(layout, colour, figures):
    spec = InputSpec(31, 23, layout=layout, colour=colour, **figures)
    frame = RANDOM.integers(0, 256, (23, 31, 3), dtype=np.uint8)
    tensor, _ = Preprocessor(spec)(frame)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor, slow(frame, spec), rtol=1e-5, atol=1e-5)


def test_letterboxing_pads_with_grey_and_says_where_the_frame_lies():
    spec = InputSpec(64, 64, fit="letterbox", pad=114)
    frame = np.full((20, 40, 3), 255, np.uint8)
    tensor, placement = Preprocessor(spec)(frame)
    assert (placement.offset_x, placement.offset_y, placement.width, placement.height) == (0, 16, 64, 32)
    assert (tensor[0, :, :16] == 114).all()
    assert (tensor[0, :, 48:] == 114).all()
    assert (tensor[0, :, 16:48] == 255).all()


def test_stretching_fills_the_input():
    tensor, placement = Preprocessor(InputSpec(32, 16))(np.full((90, 50, 3), 9, np.uint8))
    assert tensor.shape == (1, 3, 16, 32)
    assert (tensor == 9).all()
    assert (placement.scale_x, placement.scale_y) == (32 / 50, 16 / 90)


def test_resizing_is_opencvs_linear_one():
    frame = RANDOM.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    tensor, _ = Preprocessor(InputSpec(30, 20, colour="BGR", layout="NHWC", dtype="uint8"))(frame)
    assert tensor.dtype == np.uint8
    np.testing.assert_array_equal(tensor[0], cv2.resize(frame, (30, 20)))


def test_half_precision_is_given_when_it_is_asked_for():
    tensor, _ = Preprocessor(InputSpec(8, 8, dtype="float16", scale=1 / 255))(np.full((8, 8, 3), 255, np.uint8))
    assert tensor.dtype == np.float16
    assert (tensor == 1).all()


@pytest.mark.parametrize(
    "frame",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_it_refuses_what_is_no_bgr_frame(frame):
    with pytest.raises(FrameInvalid):
        Preprocessor(InputSpec(8, 8))(frame)


@pytest.mark.parametrize(
    "figures",
    [
        {"std": (0.0, 1.0, 1.0)},
        {"mean": (float("nan"), 0.0, 0.0)},
        {"width": 0},
        {"height": 100_000},
        {"pad": 256},
        {"scale": 0.0},
        {"dtype": "uint8", "scale": 1 / 255},
    ],
)
def test_it_refuses_a_description_that_cannot_be_carried_out(figures):
    with pytest.raises(InputInvalid):
        InputSpec(**{"width": 8, "height": 8, **figures})
