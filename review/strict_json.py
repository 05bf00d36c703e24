"""JSON from outside, read strictly: no duplicate keys, no NaN, nothing that a database cannot keep."""

import hashlib
import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid


class Doubled(dict[str, Any]):
    """An object that names a key twice, which is `key`; its place is told once everything is read."""

    key = ""


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def require_whole_characters(value: Any) -> None:
    """Raise ValueError when a text or key holds half of a surrogate pair, which no UTF-8 can carry (RFC 7493)."""
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def loads(body: bytes, *, deep: bool = True) -> Any:
    """Parse `body` as UTF-8 JSON. Raises Invalid with code `invalid_json` or `duplicate_key`.

    Without `deep` only the outermost object must name each key once; the caller calls `require_unique` on the rest.
    """
    value, doubled = parse(body)
    if doubled:
        require_unique(value, deep=deep)
    return value


def parse(body: bytes) -> tuple[Any, bool]:
    """The value, and whether any object in it names a key twice: then `require_unique` has to see each part of it.

    Raises Invalid `invalid_json`.
    """
    doubled: list[Doubled] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        one = Doubled(found)
        names = [key for key, _value in pairs]
        one.key = next(key for key in names if names.count(key) > 1)
        doubled.append(one)
        return one

    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=made, parse_constant=refuse_constant)
        if "\\ud" in text.lower():
            require_whole_characters(value)
    except (ValueError, RecursionError):
        raise Invalid(_("The body is not valid JSON in UTF-8."), code="invalid_json") from None
    return value, bool(doubled)


def require_unique(value: Any, *, deep: bool = True) -> None:
    """Raise Invalid `duplicate_key` with the place of the first object that names a key twice."""
    inside: list[tuple[str, Any]] = [("$", value)]
    while inside:
        path, one = inside.pop()
        if isinstance(one, Doubled):
            raise Invalid(
                _("The key %s stands there twice.") % json.dumps(one.key),
                code="duplicate_key",
                errors=[{"path": f"{path}.{one.key}", "message": str(_("This key stands there twice."))}],
            )
        if deep and isinstance(one, dict):
            inside += [(f"{path}.{key}", part) for key, part in reversed(one.items())]
        elif deep and isinstance(one, list):
            inside += [(f"{path}[{number}]", part) for number, part in reversed(list(enumerate(one)))]


def digest(value: Any) -> str:
    """Hex SHA-256 of the value's canonical form: sorted keys, no spaces, so that order and layout do not matter."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
