"""What a model file says about itself: tensors, metadata, class names."""

import ast
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One input or output; a dimension is a number, or a name or None when it is free."""

    name: str
    shape: tuple[int | str | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {list(self.shape)} {self.dtype}"


@dataclass(frozen=True, slots=True)
class Signature:
    """Inputs, outputs and the custom metadata of a model."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    metadata: dict[str, str]

    def found(self) -> str:
        """One line for a person: what is in the file."""
        inputs = "; ".join(map(str, self.inputs))
        outputs = "; ".join(map(str, self.outputs))
        return f"inputs: {inputs}. outputs: {outputs}. metadata keys: {', '.join(sorted(self.metadata)) or 'none'}"

    def literal(self, key: str) -> Any:
        """A metadata value as data: JSON, or a Python literal as Ultralytics writes it; None when it is neither."""
        text = self.metadata.get(key)
        if text is None:
            return None
        for parse in (json.loads, ast.literal_eval):
            try:
                return parse(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
        return None

    def class_names(self) -> tuple[str, ...] | None:
        """The names in the order of their indexes: from `names` as a list, or as a mapping `{0: name, ...}`."""
        names = self.literal("names")
        if isinstance(names, dict):
            names = _in_order(names)
        if not isinstance(names, list) or not names or not all(isinstance(n, str) and n.strip() for n in names):
            return None
        return tuple(names)


def _in_order(names: dict[Any, Any]) -> list[Any] | None:
    try:
        indexed = {int(key): value for key, value in names.items()}
    except (TypeError, ValueError):
        return None
    return [indexed[i] for i in range(len(indexed))] if sorted(indexed) == list(range(len(indexed))) else None
