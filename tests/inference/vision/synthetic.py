"""Small ONNX files that answer with fixed outputs, whatever they are shown."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    *,
    shape: tuple[Any, ...] = (1, 3, 64, 64),
    metadata: Mapping[str, str] | None = None,
    dtype: int = TensorProto.FLOAT,
) -> Path:
    """A model whose outputs are constants; the input is read and multiplied by zero, so that it cannot be pruned."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["floats"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "none"], ["nothing"]),
    ]
    constants = [numpy_helper.from_array(np.zeros((), np.float32), "none")]
    infos = []
    for name, value in outputs.items():
        constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}_value"))
        nodes.append(helper.make_node("Add", [f"{name}_value", "nothing"], [name]))
        infos.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape))
    inputs = [helper.make_tensor_value_info("images", dtype, list(shape))]
    model = helper.make_model(helper.make_graph(nodes, "fixed", inputs, infos, constants), ir_version=10)
    model.opset_import[0].version = 18
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, path)
    return path


def yolo(path: Path, rows: np.ndarray, names: list[str], **kwargs: Any) -> Path:
    """A YOLOv8-style model: `rows` [4 + classes, boxes]."""
    metadata = {"names": str(dict(enumerate(names))), "task": "detect", "stride": "32", "imgsz": "[64, 64]"}
    return save(path, {"output0": rows[None]}, metadata=metadata | kwargs.pop("metadata", {}), **kwargs)


def nanodet(
    path: Path, scores: list[np.ndarray], distances: list[np.ndarray], names: list[str], *, scores_last: bool = False
) -> Path:
    """A NanoDet-style model of 64 x 64 px with strides 8, 16, 32."""
    strides = (8, 16, 32)
    outputs = {f"scores_{s}": value[None] for s, value in zip(strides, scores, strict=True)}
    sides = {f"distances_{s}": value[None] for s, value in zip(strides, distances, strict=True)}
    outputs = sides | outputs if scores_last else outputs | sides
    return save(path, outputs, metadata={"names": json.dumps(names)})
