"""The vision pipeline beside bare `session.run`, in the same process and on the same frames.

`python -m deploy.benchmarks.vision_pipeline [--rounds N] [--threads N] [--json]`; exit status 1 below the budget.
The two are measured in turn, frame by frame, so that whatever else the machine does falls on both alike.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from inference.vision.preprocess import Frame, Preprocessor
from inference.vision.session import Detector

DEMO = Path(__file__).parents[1] / "demo"
MODEL = DEMO / "nanodet-coco80-416.onnx"
BUDGET = 0.9
FLOOR = 0.25


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="passes over the footage")
    parser.add_argument("--threads", type=int, default=1, help="intra_op_num_threads of both")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.rounds, options.threads)
    print(json.dumps(result) if options.json else as_text(result))
    return 0 if result["ratio"] >= BUDGET else 1


def measure(rounds: int, threads: int) -> dict[str, float]:
    """Frames per second of both, their ratio, and the median milliseconds of each stage."""
    cv2.setNumThreads(1)
    frames = footage()
    detector = Detector.open(MODEL, threads=threads)
    bare = bare_run(detector, frames[0], threads)
    bare_s, pipeline_s, preprocess_ms, inference_ms = [], [], [], []
    for frame in frames[:10]:
        bare()
        detector.look(frame, FLOOR)
    for _ in range(rounds):
        for frame in frames:
            bare_s.append(timed(bare))
            started = time.perf_counter()
            look = detector.look(frame, FLOOR)
            pipeline_s.append(time.perf_counter() - started)
            preprocess_ms.append(look.preprocess_ms)
            inference_ms.append(look.inference_ms)
    return {
        "frames": len(bare_s),
        "bare_fps": len(bare_s) / sum(bare_s),
        "pipeline_fps": len(pipeline_s) / sum(pipeline_s),
        "ratio": sum(bare_s) / sum(pipeline_s),
        "bare_ms_p50": statistics.median(bare_s) * 1e3,
        "pipeline_ms_p50": statistics.median(pipeline_s) * 1e3,
        "preprocess_ms_p50": statistics.median(preprocess_ms),
        "inference_and_decode_ms_p50": statistics.median(inference_ms),
    }


def footage() -> list[Frame]:
    """Every fifth frame of the demo's yard, decoded beforehand."""
    video = cv2.VideoCapture(str(DEMO / "yard.mp4"))
    frames: list[Frame] = []
    while True:
        ok, frame = video.read()
        if not ok:
            return frames[::5]
        frames.append(np.asarray(frame, np.uint8))


def bare_run(detector: Detector, frame: Frame, threads: int) -> Callable[[], object]:
    """`session.run` on a tensor that is ready, in a session of its own with the same settings."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(MODEL.read_bytes(), options, providers=["CPUExecutionProvider"])
    tensor, _ = Preprocessor(detector.input)(frame)
    feed = {detector.signature.inputs[0].name: tensor}
    return lambda: session.run(None, feed)


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def as_text(result: dict[str, float]) -> str:
    verdict = "met" if result["ratio"] >= BUDGET else "MISSED"
    return "\n".join(
        [
            f"frames                 {result['frames']:>8.0f}",
            f"bare session.run       {result['bare_fps']:>8.1f} /s   p50 {result['bare_ms_p50']:.2f} ms",
            f"vision pipeline        {result['pipeline_fps']:>8.1f} /s   p50 {result['pipeline_ms_p50']:.2f} ms",
            f"  preprocess                          p50 {result['preprocess_ms_p50']:.2f} ms",
            f"  inference and decode                p50 {result['inference_and_decode_ms_p50']:.2f} ms",
            f"ratio                  {result['ratio']:>8.3f}      budget >= {BUDGET}: {verdict}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
