"""Every door of the product with its access rule."""

import importlib
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from django.core.management.base import BaseCommand
from django.tasks import Task
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

from deploy.modules import submodules
from review.api.root import api
from review.routes import websocket_urlpatterns

APPS = ("accounts", "inference", "review", "deploy")
SUPPORT = "is_staff and is_superuser; read-mostly (accounts/support.py)"
SHELL = "whoever may run commands on the machine"
DESCRIPTION = {
    "openapi-json": "public: describes the API, holds no data",
    "api-root": "public: 404, names nothing",
}


class Command(BaseCommand):
    help = "List every route, websocket, media path, task and command with its rule; exit 1 when one has none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        pages = http_rows(get_resolver().url_patterns, "/")
        found = [*pages, *websocket_rows(), *task_rows(), *command_rows()]
        rows = list({(row["path"], tuple(row["methods"])): row for row in found}.values())
        if options["json"]:
            self.stdout.write(json.dumps(rows))
        else:
            for row in rows:
                self.stdout.write(f"{row['kind']:<9} {methods(row):<13} {row['path']:<50} {row['rule'] or 'NO RULE'}")
        if missing := [row["path"] for row in rows if not row["rule"]]:
            self.stderr.write(f"without an access rule: {', '.join(missing)}")
            sys.exit(1)
        if any_method := [row["path"] for row in rows if row["kind"] in {"http", "media"} and not row["methods"]]:
            self.stderr.write(f"without a method decorator: {', '.join(any_method)}")
            sys.exit(1)


def methods(row: dict[str, Any]) -> str:
    return " ".join(row["methods"]) or "-"


def http_rows(patterns: list[Any], prefix: str) -> Iterator[dict[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            support = pattern.namespace == "admin" or path.startswith("/support/")
            yield from support_rows(pattern, path) if support else http_rows(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield from view_rows(path, pattern)


def support_rows(resolver: URLResolver, prefix: str) -> Iterator[dict[str, Any]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from support_rows(pattern, path)
        else:
            yield row("http", path, ["GET", "POST"], SUPPORT)


def view_rows(path: str, pattern: URLPattern) -> Iterator[dict[str, Any]]:
    view = pattern.callback
    owner = getattr(view, "__self__", None)
    operations = getattr(owner, "operations", None) if isinstance(owner, PathView) else None
    if operations is None:
        operations = api_operations(path)
    if operations:
        for operation in operations:
            rules = [getattr(auth, "access_rule", "") for auth in operation.auth_callbacks]
            yield row("http", path, sorted(operation.methods), " or ".join(filter(None, rules)))
        return
    rule = getattr(view, "access_rule", "") or DESCRIPTION.get(pattern.name or "", "")
    kind = "media" if path.startswith("/media/") else "http"
    taken = ["GET"] if pattern.name == "api-root" else methods_of(view)
    yield row(kind, path, taken, rule)


def methods_of(view: Any) -> list[str]:
    """The methods that a view takes, as its method decorator or its class says; none when nothing says so."""
    while view is not None:
        code, cells = getattr(view, "__code__", None), getattr(view, "__closure__", None)
        if code is not None and cells and "request_method_list" in code.co_freevars:
            return sorted(cells[code.co_freevars.index("request_method_list")].cell_contents)
        if owner := getattr(view, "view_class", None):
            return sorted(
                name.upper() for name in owner.http_method_names if hasattr(owner, name) and name != "options"
            )
        view = getattr(view, "__wrapped__", None)
    return []


def api_operations(path: str) -> list[Any]:
    """The operations of an API path, found by its address."""
    wanted = path.removeprefix("/api/v1/") if path.startswith("/api/v1/") else None
    found: list[Any] = []
    for prefix, router in api._routers:
        for route, view in router.path_operations.items():
            if wanted is not None and as_pattern(f"{prefix}{route}") == as_pattern(wanted):
                found += view.operations
    return found


def as_pattern(route: str) -> str:
    return route.strip("/").replace("{", "<").replace("}", ">").replace("<str:", "<")


def websocket_rows() -> Iterator[dict[str, Any]]:
    for pattern in websocket_urlpatterns:
        rule = getattr(pattern.callback.consumer_class, "access_rule", "")
        yield row("websocket", f"/{pattern.pattern}", [], rule)


def task_rows() -> Iterator[dict[str, Any]]:
    for app in APPS:
        if find_spec(f"{app}.tasks") is None:
            continue
        for module in submodules(importlib.import_module(f"{app}.tasks")):
            for value in vars(module).values():
                if isinstance(value, Task):
                    yield row("task", value.module_path, [], "internal: enqueued by actions only, takes ids")


def command_rows() -> Iterator[dict[str, Any]]:
    for app in APPS:
        if (spec := find_spec(f"{app}.management.commands")) and spec.origin:
            for module in iter_modules([str(Path(spec.origin).parent)]):
                yield row("task", f"manage.py {module.name}", [], SHELL)


def row(kind: str, path: str, methods: list[str], rule: str) -> dict[str, Any]:
    return {"kind": kind, "path": path, "methods": methods, "rule": rule}
