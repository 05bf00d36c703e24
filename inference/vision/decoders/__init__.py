"""Heads: how a model's outputs become boxes. One file per head; a new one is a file here and a line in `HEADS`."""

from inference.vision.decoders.base import Candidates, Decoder, Head
from inference.vision.decoders.nanodet import NanoDet
from inference.vision.decoders.yolov8 import YoloV8
from inference.vision.exceptions import ModelNotSupported
from inference.vision.signature import Signature

HEADS: tuple[Head, ...] = (NanoDet, YoloV8)

__all__ = ["HEADS", "Candidates", "Decoder", "Head", "recognise"]


def recognise(signature: Signature, classes: int | None) -> Decoder:
    """The decoder for a model, found by the shape of its outputs; `classes` is their number when it is known.

    Raises `ModelNotSupported`, saying what was found and what is supported.
    """
    for head in HEADS:
        decoder = head.recognise(signature, classes)
        if decoder is not None:
            return decoder
    supported = "; ".join(f"{head.name}: {head.layout}" for head in HEADS)
    known = "unknown" if classes is None else str(classes)
    raise ModelNotSupported(
        f"the outputs of this model cannot be decoded. Found: {signature.found()}; number of classes: {known}. "
        f"Supported: {supported}"
    )
