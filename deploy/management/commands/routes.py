"""Every door of the product with its access rule."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.tasks import Task
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

import review.tasks
from deploy.modules import submodules
from review.api.root import api
from review.routes import websocket_urlpatterns

SUPPORT = "is_staff and Django's own model permissions; read-mostly"
DESCRIPTION = {
    "openapi-json": "public: describes the API, holds no data",
    "openapi-view": "public: describes the API",
    "api-root": "public: 404, names nothing",
}


class Command(BaseCommand):
    help = "List every HTTP route, websocket path, media path and task with its access rule; exit 1 when one has none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [*http_rows(get_resolver().url_patterns, "/"), *websocket_rows(), *task_rows()]
        rows = list({(row["path"], tuple(row["methods"])): row for row in found}.values())
        if options["json"]:
            self.stdout.write(json.dumps(rows))
        else:
            for row in rows:
                self.stdout.write(f"{row['kind']:<9} {row['path']:<50} {row['rule'] or 'NO RULE'}")
        if missing := [row["path"] for row in rows if not row["rule"]]:
            self.stderr.write(f"without an access rule: {', '.join(missing)}")
            sys.exit(1)


def http_rows(patterns: list[Any], prefix: str) -> Iterator[dict[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace == "admin":
                yield row("http", path, ["GET", "POST"], SUPPORT)
            else:
                yield from http_rows(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield from view_rows(path, pattern)


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
    kind = "media" if path.startswith(("/media/",)) else "http"
    yield row(kind, path, ["GET"] if kind == "media" else [], rule)


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
    for module in submodules(review.tasks):
        for value in vars(module).values():
            if isinstance(value, Task):
                yield row("task", value.module_path, [], "internal: enqueued by actions only, takes ids")


def row(kind: str, path: str, methods: list[str], rule: str) -> dict[str, Any]:
    return {"kind": kind, "path": path, "methods": methods, "rule": rule}
