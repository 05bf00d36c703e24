"""A model that is open: bytes checked, head recognised, ready to look at frames."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from inference.vision import boxes, onnx_file
from inference.vision.decoders import Decoder, recognise
from inference.vision.decoders.base import Candidates
from inference.vision.exceptions import ClassesMissing, DigestMismatch, InputInvalid, ModelUnreadable, OutputInvalid
from inference.vision.preprocess import Frame, InputSpec, Preprocessor, Triple
from inference.vision.signature import Signature, TensorInfo

# More boxes than this before or after suppression mean a floor near 0, not a scene.
_MAX_CANDIDATES = 1000
_MAX_DETECTIONS = 300
_MAX_NAME = 100
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing in one frame: class, confidence in 0..1, box `x, y, width, height` in upright-frame pixels."""

    class_index: int
    name: str
    confidence: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """What a model said of a frame, best first, and how long each stage took (decoding counts as inference)."""

    detections: list[Detection]
    preprocess_ms: float
    inference_ms: float


class Detector:
    """A detection model. Not for use by two threads at once: it reuses its input tensor."""

    def __init__(
        self,
        session: ort.InferenceSession,
        sha256: str,
        signature: Signature,
        decoder: Decoder,
        classes: tuple[str, ...],
        spec: InputSpec,
    ) -> None:
        self.sha256 = sha256
        self.signature = signature
        self.decoder = decoder
        self.classes = classes
        self.input = spec
        self._session = session
        self._preprocess = Preprocessor(spec)
        self._input_name = signature.inputs[0].name
        self._output_names = [output.name for output in signature.outputs]

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        sha256: str | None = None,
        threads: int = 1,
        classes: Sequence[str] | None = None,
        spec: InputSpec | None = None,
    ) -> "Detector":
        """Read a model once, check it, and open exactly the bytes that were checked.

        `sha256` (hex) is compared at every load. `threads` is ONNX Runtime's `intra_op_num_threads`; its own default,
        one per core, spins on small shared machines. `classes` and `spec` replace what the model says or implies.
        Raises a `ModelError`.
        """
        data = _read(path)
        digest = hashlib.sha256(data).hexdigest()
        if sha256 is not None and digest != sha256.lower():
            raise DigestMismatch(f"{path.name} has SHA-256 {digest}, expected {sha256.lower()}: it is not loaded")
        onnx_file.check(data)
        session = _open(data, threads)
        signature = _signature(session)
        names = tuple(classes) if classes is not None else signature.class_names()
        decoder = recognise(signature, None if names is None else len(names))
        spec = spec or _spec_of(signature, decoder)
        _check_spec(signature, spec)
        return cls(session, digest, signature, decoder, _check_names(names, decoder), spec)

    def detect(self, frame: Frame, floor: float) -> list[Detection]:
        """Everything in a BGR frame with a confidence of at least `floor` (0..1), best first."""
        return self.look(frame, floor).detections

    def look(self, frame: Frame, floor: float) -> Look:
        """As `detect`, with the time of each stage. Raises `FrameInvalid` and `OutputInvalid`."""
        started = time.perf_counter()
        tensor, placement = self._preprocess(frame)
        prepared = time.perf_counter()
        outputs = self._session.run(self._output_names, {self._input_name: tensor})
        candidates = _strongest(self.decoder.decode(outputs, floor))
        detections = self._finish(candidates, placement, frame.shape[1], frame.shape[0])
        done = time.perf_counter()
        return Look(detections, (prepared - started) * 1e3, (done - prepared) * 1e3)

    def _finish(self, candidates: Candidates, placement: boxes.Placement, width: int, height: int) -> list[Detection]:
        if not np.isfinite(candidates.boxes).all():
            raise OutputInvalid("the model gives boxes that are not numbers")
        kept = boxes.nms(candidates.boxes, candidates.scores, candidates.classes, self.decoder.nms_iou, _MAX_DETECTIONS)
        corners = boxes.clip(placement.to_frame(candidates.boxes[kept]), width, height)
        # A tenth of a pixel is far below what any of these models resolves, and keeps events short.
        corners = np.round(corners.astype(np.float64), 1)
        sizes = np.round(corners[:, 2:] - corners[:, :2], 1)
        rows = zip(
            candidates.classes[kept].tolist(),
            candidates.scores[kept].tolist(),
            corners.tolist(),
            sizes.tolist(),
            strict=True,
        )
        return [
            Detection(index, self.classes[index], min(1.0, round(score, 4)), (x, y, w, h))
            for index, score, (x, y, _, _), (w, h) in rows
            if w >= 1 and h >= 1
        ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelUnreadable(f"{path} cannot be read: {error.strerror or error}") from error


def _open(data: bytes, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime raises one class per status code, and they have no common base.
    except Exception as error:
        raise ModelUnreadable(f"ONNX Runtime cannot open the model: {str(error)[:300]}") from error


def _signature(session: ort.InferenceSession) -> Signature:
    def infos(nodes: list[Any]) -> tuple[TensorInfo, ...]:
        return tuple(TensorInfo(node.name, tuple(node.shape), node.type) for node in nodes)

    metadata = dict(session.get_modelmeta().custom_metadata_map)
    return Signature(infos(session.get_inputs()), infos(session.get_outputs()), metadata)


def _spec_of(signature: Signature, decoder: Decoder) -> InputSpec:
    """The head's usual input, with the mean and deviation of the metadata when the model carries them."""
    spec = replace(decoder.input, dtype=_dtype(signature))
    mean, std = _triple(signature.literal("mean")), _triple(signature.literal("std"))
    if mean is not None and std is not None:
        spec = replace(spec, mean=mean, std=std)
    return spec


def _triple(value: Any) -> Triple | None:
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(v, int | float) for v in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])


def _dtype(signature: Signature) -> Any:
    found = signature.inputs[0].dtype
    if found not in _DTYPES:
        raise InputInvalid(f"input {signature.inputs[0]} is none of {', '.join(_DTYPES)}")
    return _DTYPES[found]


def _check_spec(signature: Signature, spec: InputSpec) -> None:
    tensor = signature.inputs[0]
    wanted: tuple[int, ...] = (1, 3, spec.height, spec.width)
    if spec.layout == "NHWC":
        wanted = (1, spec.height, spec.width, 3)
    fits = len(tensor.shape) == 4 and all(
        side == want for side, want in zip(tensor.shape, wanted, strict=True) if isinstance(side, int)
    )
    if not fits or _dtype(signature) != spec.dtype:
        raise InputInvalid(f"the input description {spec.layout} {list(wanted)} {spec.dtype} does not fit {tensor}")


def _check_names(names: tuple[str, ...] | None, decoder: Decoder) -> tuple[str, ...]:
    if names is None:
        raise ClassesMissing(f"the model names no classes (metadata key `names`); give {decoder.classes} names")
    if len(names) != decoder.classes or len(set(names)) != len(names):
        raise ClassesMissing(f"{len(set(names))} different class names for an output with {decoder.classes} classes")
    for name in names:
        if len(name) > _MAX_NAME or not name.isprintable():
            raise ClassesMissing(f"class name {name[:_MAX_NAME]!r} is too long or holds control characters")
    return names


def _strongest(candidates: Candidates) -> Candidates:
    if len(candidates.scores) <= _MAX_CANDIDATES:
        return candidates
    best = np.sort(np.argsort(-candidates.scores, kind="stable")[:_MAX_CANDIDATES])
    return Candidates(candidates.boxes[best], candidates.scores[best], candidates.classes[best])
