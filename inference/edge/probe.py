"""`secondlook-edge probe`: what was understood of a model, and what the model sees in a picture."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.edge.exceptions import SourceError
from inference.vision import images
from inference.vision.exceptions import ImageUnreadable
from inference.vision.session import Detection, Detector


def describe(detector: Detector) -> dict[str, Any]:
    """What was understood: digest, tensors, head, input description, classes, licence, metadata keys."""
    signature = detector.signature
    return {
        "sha256": detector.sha256,
        "inputs": [str(tensor) for tensor in signature.inputs],
        "outputs": [str(tensor) for tensor in signature.outputs],
        "head": detector.decoder.name,
        "input": asdict(detector.input),
        "classes": list(detector.classes),
        "license": signature.metadata.get("license"),
        "metadata": {key: value[:100] for key, value in sorted(signature.metadata.items()) if key != "names"},
    }


def look(detector: Detector, image: Path, floor: float, out: Path | None) -> list[Detection]:
    """What the model sees in a picture, drawn into `out` when it is given. Raises `ImageError` and `SourceError`."""
    try:
        data = image.read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"{image} cannot be read: {error.strerror or error}") from error
    frame = images.decode(data)
    detections = detector.detect(frame, floor)
    if out is not None:
        try:
            out.write_bytes(images.encode_jpeg(images.draw(frame, detections), 92))
        except OSError as error:
            raise SourceError(f"{out} cannot be written: {error.strerror or error}", "output_unwritable") from error
    return detections


def as_text(understood: dict[str, Any], detections: Sequence[Detection] | None) -> str:
    """For a person in a terminal."""
    given = understood["input"]
    lines = [
        f"sha256    {understood['sha256']}",
        *(f"input     {tensor}" for tensor in understood["inputs"]),
        *(f"output    {tensor}" for tensor in understood["outputs"]),
        f"head      {understood['head']}",
        f"fed with  {given['width']} x {given['height']} {given['layout']} {given['colour']} {given['dtype']}, "
        f"{given['fit']}, (pixel * {given['scale']:.6g} - {list(given['mean'])}) / {list(given['std'])}",
        f"classes   {len(understood['classes'])}: {', '.join(understood['classes'][:12])}"
        + (" ..." if len(understood["classes"]) > 12 else ""),
        f"license   {understood['license'] or 'not stated in the file'}",
        f"metadata  {', '.join(understood['metadata']) or 'none'}",
    ]
    if detections is not None:
        lines.append(f"seen      {len(detections)}")
        lines += [f"  {d.confidence:.2f}  {d.name:<20} {', '.join(f'{side:g}' for side in d.box)}" for d in detections]
    return "\n".join(lines)
