"""JSON from outside, read strictly: no duplicate keys, no NaN, nothing that a database cannot keep."""

import hashlib
import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid


class DuplicateKey(ValueError):
    """One object names a key twice; `key` is the key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DuplicateKey(key)
        found[key] = value
    return found


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def require_whole_characters(value: Any) -> None:
    """Raise ValueError when a text or key holds half of a surrogate pair, which no UTF-8 can carry (RFC 7493)."""
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def loads(body: bytes) -> Any:
    """Parse `body` as UTF-8 JSON. Raises Invalid with code `invalid_json` or `duplicate_key`."""
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=unique_pairs, parse_constant=refuse_constant)
        if "\\ud" in text.lower():
            require_whole_characters(value)
        return value
    except DuplicateKey as error:
        raise Invalid(
            _("The key %s stands there twice.") % json.dumps(error.key),
            code="duplicate_key",
            errors=[{"path": f"$..{error.key}", "message": str(_("This key stands there twice."))}],
        ) from None
    except (ValueError, RecursionError):
        raise Invalid(_("The body is not valid JSON in UTF-8."), code="invalid_json") from None


def digest(value: Any) -> str:
    """Hex SHA-256 of the value's canonical form: sorted keys, no spaces, so that order and layout do not matter."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
