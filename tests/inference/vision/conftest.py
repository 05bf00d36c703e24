from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.vision.session import Detector

DEMO = Path(__file__).parents[3] / "deploy" / "demo"
DEMO_SHA256 = "3c45ae372b60b29cf0f0dffb76d1d629bbf6ec783a2a3338b8e9bef9203ad66d"


@pytest.fixture(scope="session")
def demo_model() -> Path:
    return DEMO / "nanodet-coco80-416.onnx"


@pytest.fixture(scope="session")
def yard_frame() -> np.ndarray:
    video = cv2.VideoCapture(str(DEMO / "yard.mp4"))
    ok, frame = video.read()
    video.release()
    assert ok
    return frame


@pytest.fixture(scope="session")
def demo_detector(demo_model: Path) -> Detector:
    return Detector.open(demo_model, sha256=DEMO_SHA256)
