"""What must be known of an ONNX file before ONNX Runtime sees it: external data and foreign operators.

Reads the protobuf wire format directly (field numbers from onnx.proto, IR version 13; wire format from
protobuf.dev/programming-guides/encoding), so that a device needs no `onnx` package. Weights are skipped, not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from inference.vision.exceptions import CustomOperatorRefused, ExternalDataRefused, ModelUnreadable

# Operators that ONNX and the plain ONNX Runtime package define.
KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})

_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_FUNCTION_NAME, _FUNCTION_NODE, _FUNCTION_DOMAIN = 1, 7, 10
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14
_MAX_DEPTH = 32


@dataclass(slots=True)
class Contents:
    """Operators as (domain, name), the model's own functions, and whether weights lie elsewhere."""

    operators: set[tuple[str, str]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external_data: bool = False


def check(data: bytes) -> None:
    """Raises `ModelUnreadable`, `ExternalDataRefused` or `CustomOperatorRefused` for the bytes of a model."""
    contents = read(data)
    if contents.external_data:
        raise ExternalDataRefused("the model keeps weights in other files; save it as one file and try again")
    foreign = sorted(
        f"{domain}::{name}" for domain, name in contents.operators - contents.functions if domain not in KNOWN_DOMAINS
    )
    if foreign:
        raise CustomOperatorRefused(f"the model needs operators that are not part of ONNX: {', '.join(foreign[:10])}")


def read(data: bytes) -> Contents:
    """What an ONNX file holds. Raises `ModelUnreadable` when it is no protobuf or has no graph."""
    contents = Contents()
    graphs = 0
    for number, value in _fields(memoryview(data)):
        if number == _MODEL_GRAPH:
            graphs += 1
            _read_graph(_message(value), contents, 0)
        elif number == _MODEL_FUNCTIONS:
            _read_function(_message(value), contents)
    if graphs != 1:
        raise ModelUnreadable("this is not an ONNX model: it holds no graph")
    return contents


def _read_graph(graph: memoryview, contents: Contents, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ModelUnreadable(f"the model nests graphs deeper than {_MAX_DEPTH}")
    for number, value in _fields(graph):
        if number == _GRAPH_NODE:
            _read_node(_message(value), contents, depth)
        elif number == _GRAPH_INITIALIZER:
            _read_tensor(_message(value), contents)
        elif number == _GRAPH_SPARSE:
            _read_sparse(_message(value), contents)


def _read_node(node: memoryview, contents: Contents, depth: int) -> None:
    name = domain = ""
    for number, value in _fields(node):
        if number == _NODE_OP:
            name = _text(value)
        elif number == _NODE_DOMAIN:
            domain = _text(value)
        elif number == _NODE_ATTRIBUTE:
            _read_attribute(_message(value), contents, depth)
    contents.operators.add((domain, name))


def _read_attribute(attribute: memoryview, contents: Contents, depth: int) -> None:
    for number, value in _fields(attribute):
        if number in _ATTRIBUTE_TENSORS:
            _read_tensor(_message(value), contents)
        elif number in _ATTRIBUTE_GRAPHS:
            _read_graph(_message(value), contents, depth + 1)
        elif number in _ATTRIBUTE_SPARSE:
            _read_sparse(_message(value), contents)


def _read_function(function: memoryview, contents: Contents) -> None:
    name = domain = ""
    for number, value in _fields(function):
        if number == _FUNCTION_NAME:
            name = _text(value)
        elif number == _FUNCTION_DOMAIN:
            domain = _text(value)
        elif number == _FUNCTION_NODE:
            _read_node(_message(value), contents, 0)
    contents.functions.add((domain, name))


def _read_sparse(tensor: memoryview, contents: Contents) -> None:
    for number, value in _fields(tensor):
        if number in (1, 2):
            _read_tensor(_message(value), contents)


def _read_tensor(tensor: memoryview, contents: Contents) -> None:
    for number, value in _fields(tensor):
        if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value == 1):
            contents.external_data = True


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field numbers with their values: a number for varints, bytes for everything else."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        length, at = _length(message, at, kind)
        if at + length > len(message):
            raise ModelUnreadable("the model file is cut off or is not ONNX")
        yield tag >> 3, message[at : at + length]
        at += length


def _length(message: memoryview, at: int, kind: int) -> tuple[int, int]:
    if kind == 2:
        return _varint(message, at)
    if kind in (1, 5):
        return (8 if kind == 1 else 4), at
    raise ModelUnreadable("the file is not an ONNX model")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ModelUnreadable("the model file is cut off or is not ONNX")


def _message(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise ModelUnreadable("the file is not an ONNX model")
    return value


def _text(value: memoryview | int) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")
