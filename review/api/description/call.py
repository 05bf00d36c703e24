"""One call as OpenAPI 3.1 describes it: what it takes, what it answers, how it fails."""

from dataclasses import dataclass, field
from typing import Any

from review.api.description.codes import ALWAYS, CODES, PERSONAL, by_status

SCHEMAS = "#/components/schemas/"
JSON = "application/json"
PROBLEM = "application/problem+json"
REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
HEADERS = {
    401: {"WWW-Authenticate": {"$ref": "#/components/headers/Challenge"}},
    429: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    503: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
}
SHARED = {400: "BadRequest", 401: "Unauthenticated", 408: "TooSlow", 413: "TooLarge", 429: "TooMany", 503: "Busy"}


@dataclass(frozen=True, slots=True)
class Example:
    """A body as it is sent or answered.

    Bytes that JSON cannot hold stand beside it in base64 (`x-base64`), alone or by the name of their part; headers that
    the call needs besides stand in `x-headers`.
    """

    summary: str
    value: Any
    base64: str | dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"summary": self.summary, "value": self.value}
        if self.base64 is not None:
            found["x-base64"] = self.base64
        if self.headers:
            found["x-headers"] = self.headers
        return found


@dataclass(frozen=True, slots=True)
class Content:
    """A body of one content type. `schema` is the name of a component, or a schema itself."""

    schema: str | dict[str, Any]
    examples: dict[str, Example] = field(default_factory=dict)
    kind: str = JSON
    encoding: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"schema": component(self.schema)}
        if self.examples:
            found["examples"] = {name: one.document() for name, one in self.examples.items()}
        if self.encoding:
            found["encoding"] = self.encoding
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that is no error, with its body (None: no body) and headers."""

    status: int
    description: str
    content: Content | None = None
    headers: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"description": self.description, "headers": REQUEST_ID | self.headers}
        if self.content is not None:
            found["content"] = {self.content.kind: self.content.document()}
        return found


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is said of a parameter beside its schema. One that no view declares has a `place` and a `schema`."""

    description: str
    example: Any = None
    schema: dict[str, Any] = field(default_factory=dict)
    place: str = ""

    def document(self, name: str, declared: dict[str, Any] | None) -> dict[str, Any]:
        found: dict[str, Any] = dict(declared or {"name": name, "in": self.place, "required": False})
        found["schema"] = {key: value for key, value in found.get("schema", {}).items() if key != "title"} | self.schema
        found["description"] = self.description
        if self.example is not None:
            found["example"] = self.example
        return found


@dataclass(frozen=True, slots=True)
class Call:
    """What openapi.json says of one operation besides its address, its summary and its tag.

    `problems`: codes that it answers with besides those of every call. `scope`: of a personal token that opens it;
    `source`: whether a source token opens it.
    """

    description: str
    answers: tuple[Answer, ...]
    problems: tuple[str, ...] = ()
    takes: tuple[Content, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    scope: str = ""
    source: bool = False
    failing: dict[str, Example] = field(default_factory=dict)

    def complete(self, operation: dict[str, Any]) -> dict[str, Any]:
        """The operation as the router has it, completed."""
        found = operation | {
            "description": self.description,
            "parameters": self.all_parameters(operation["parameters"]),
            "responses": {str(status): one for status, one in sorted(self.responses().items())},
            "security": self.security(),
        }
        if self.takes:
            found["requestBody"] = {"required": True, "content": {one.kind: one.document() for one in self.takes}}
        return found

    def all_parameters(self, declared: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_name = {one["name"]: one for one in declared}
        return [self.parameters[name].document(name, one) for name, one in by_name.items()] + [
            one.document(name, None) for name, one in self.parameters.items() if name not in by_name
        ]

    def security(self) -> list[dict[str, list[str]]]:
        found: list[dict[str, list[str]]] = [{"sourceToken": []}] if self.source else []
        return [*found, {"personalToken": [self.scope]}] if self.scope else found

    def responses(self) -> dict[int, dict[str, Any]]:
        codes = ALWAYS + (PERSONAL if self.scope else ()) + self.problems
        refused = {status: self.refusal(status, named) for status, named in by_status(codes).items()}
        return refused | {one.status: one.document() for one in self.answers}

    def refusal(self, status: int, codes: list[str]) -> dict[str, Any]:
        examples = {code: one for code, one in self.failing.items() if code in codes}
        if status in SHARED and not examples and codes == by_status(ALWAYS).get(status):
            return {"$ref": f"#/components/responses/{SHARED[status]}"}
        return problem(status, codes, examples)


def component(schema: str | dict[str, Any]) -> dict[str, Any]:
    return {"$ref": SCHEMAS + schema} if isinstance(schema, str) else schema


def problem(status: int, codes: list[str], examples: dict[str, Example] | None = None) -> dict[str, Any]:
    """The answer with a problem document that has one of these codes."""
    schema = {"$ref": f"{SCHEMAS}Problem", "properties": {"code": {"enum": codes}, "status": {"const": status}}}
    lines = [f"- `{code}`: {CODES[code][1]}" for code in codes]
    return {
        "description": "\n".join(lines),
        "headers": REQUEST_ID | HEADERS.get(status, {}),
        "content": {PROBLEM: Content(schema, examples or {}).document()},
    }


def shared_responses() -> dict[str, Any]:
    """The refusals that every call has, by the name of their component."""
    always = by_status(ALWAYS)
    return {name: problem(status, always[status]) for status, name in SHARED.items()}
