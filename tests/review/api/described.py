"""openapi.json as tests read it: its operations, its examples, and whether a body is as it says."""

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from review.api.root import api


@cache
def document() -> dict[str, Any]:
    """The document that is served: a test holds the two against each other."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    return found


@cache
def closed() -> dict[str, Any]:
    """The same with answers closed: clients must bear members that are not described, and the server sends none."""
    found = deepcopy(document())
    for schema in found["components"]["schemas"].values():
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return found


@dataclass(frozen=True)
class Operation:
    path: str
    method: str
    said: dict[str, Any]

    @property
    def id(self) -> str:
        found: str = self.said["operationId"]
        return found

    def answer(self, status: int) -> dict[str, Any]:
        """The response object of a status, which must be documented."""
        assert str(status) in self.said["responses"], f"{self.id} answers {status}, which it does not say"
        return resolved(self.said["responses"][str(status)])

    def successes(self) -> dict[int, dict[str, Any]]:
        return {int(status): resolved(one) for status, one in self.said["responses"].items() if int(status) < 300}

    def taken(self) -> dict[str, Any]:
        """The contents of the request's body by their types."""
        found: dict[str, Any] = self.said.get("requestBody", {}).get("content", {})
        return found

    def expected(self, name: str) -> set[int]:
        """The status with which the example `name` is answered: where an answer has the same name, that one."""
        found = {status for status, one in self.successes().items() if name in examples_of(one)}
        return found or set(self.successes())

    def address(self) -> str:
        """The path with the parameters of its examples."""
        path = self.path
        for one in self.said["parameters"]:
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", str(one["example"]))
        return path

    def query(self) -> dict[str, str]:
        return {
            one["name"]: str(one["example"])
            for one in self.said["parameters"]
            if one["in"] == "query" and "example" in one
        }


def operations() -> list[Operation]:
    return [
        Operation(path, method.upper(), said)
        for path, methods in document()["paths"].items()
        for method, said in methods.items()
    ]


def operation(name: str) -> Operation:
    return next(one for one in operations() if one.id == name)


def resolved(one: dict[str, Any]) -> dict[str, Any]:
    """What a reference within the document stands for."""
    found: Any = one
    if "$ref" in one:
        found = document()
        for part in one["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return dict(found)


def examples_of(one: dict[str, Any]) -> dict[str, Any]:
    """The examples of a response or request, of all content types."""
    return {name: example for content in one.get("content", {}).values() for name, example in content_examples(content)}


def content_examples(content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from content.get("examples", {}).items()


def require_valid(schema: dict[str, Any], value: Any) -> None:
    """Fail unless a value is as its schema says, and holds nothing else."""
    whole = schema | {"components": closed()["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    faults = [f"{list(fault.instance_path)}: {fault.message}" for fault in validator.iter_errors(value)]
    assert not faults, (faults, value)


def require_as_said(one: Operation, answer: Any) -> None:
    """Fail unless an answer has a documented status, its content type, its headers and its schema."""
    said = one.answer(answer.status_code)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    for name, header in said.get("headers", {}).items():
        assert name in answer or not resolved(header).get("required"), (one.id, answer.status_code, name)
    if "content" not in said:
        assert body == b""
        return
    kind = answer["Content-Type"].partition(";")[0]
    assert kind in said["content"], (one.id, answer.status_code, kind)
    if kind.endswith("json"):
        require_valid(said["content"][kind]["schema"], json.loads(body))


def wire(kind: str, example: dict[str, Any]) -> tuple[bytes, str]:
    """The bytes of an example as they are sent, and their Content-Type."""
    if kind == "application/json":
        return json.dumps(example["value"]).encode(), kind
    if kind == "multipart/form-data":
        files = {
            name: SimpleUploadedFile(name, base64.b64decode(data), "image/png")
            for name, data in example["x-base64"].items()
        }
        parts: dict[str, Any] = {"event": json.dumps(example["value"]["event"])}
        return encode_multipart(BOUNDARY, parts | files), MULTIPART_CONTENT
    return base64.b64decode(example.get("x-base64", "")), kind


def shape(value: Any) -> Any:
    """The members and types of a document without its values."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__
