"""The API described for people, from the same schema that programs read."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doors import public
from review.api.root import api


@require_safe
@public("describes the API, holds no data")
def reference(request: HttpRequest) -> HttpResponse:
    schema = api.get_openapi_schema()
    return render(request, "review/reference.html", {"operations": operations(schema), "schemas": schemas(schema)})


def operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of the API in the order of their addresses: what for, parameters, bodies, answers, examples."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "anchor": f"{method}{path.replace('/', '-')}",
            "summary": one["summary"],
            "description": unmarked(one["description"]),
            "parameters": [parameter_row(parameter) for parameter in one.get("parameters", [])],
            "bodies": bodies(one),
            "answers": answers(one, schema),
            "examples": examples(one),
        }
        for path, methods in schema["paths"].items()
        for method, one in methods.items()
    ]


def parameter_row(parameter: dict[str, Any]) -> dict[str, Any]:
    kind = parameter.get("schema", {})
    # Of what may also be left out, the kind that it has when it is there.
    kind = kind.get("anyOf", [kind])[0]
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "required": parameter.get("required", False),
        "kind": " ".join(str(kind[key]) for key in ("type", "format") if key in kind),
    }


def bodies(one: dict[str, Any]) -> list[tuple[str, str]]:
    content = one.get("requestBody", {}).get("content", {})
    return [(kind, pretty(media.get("schema", {}))) for kind, media in content.items()]


def answers(one: dict[str, Any], schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Each status with what it means; those that every call has are told once in the document."""
    shared = schema["components"]["responses"]
    told = [
        (status, shared[said["$ref"].rsplit("/", 1)[-1]] if "$ref" in said else said)
        for status, said in one["responses"].items()
    ]
    return [(status, unmarked(said["description"])) for status, said in told]


def unmarked(text: str) -> str:
    """A text of the document without its marks for code and lists, which HTML would show as they are."""
    return text.replace("`", "").replace("\n- ", "\n").removeprefix("- ")


def examples(one: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is sent and what comes back: whether or with which status, in words, the body."""
    told = [("", one.get("requestBody", {})), *one["responses"].items()]
    return [
        (status, example["summary"], pretty(example["value"]))
        for status, said in told
        for content in said.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]


def schemas(schema: dict[str, Any]) -> list[tuple[str, str]]:
    found = schema.get("components", {}).get("schemas", {})
    return [(name, pretty(one)) for name, one in sorted(found.items())]


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
