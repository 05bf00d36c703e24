"""The identity providers of single sign-on, read strictly from one JSON variable."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from . import env

REQUIRED = {"issuer": str, "client_id": str, "client_secret": str}
DEFAULTS: dict[str, Any] = {
    "label": "",
    "creates_accounts": False,
    "groups_claim": "groups",
    "mfa_values": [],
    "scope": "openid profile",
}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def providers(name: str) -> dict[str, dict[str, Any]]:
    """`{"corp": {"issuer": ..., "client_id": ..., "client_secret": ..., "label": ...}}`; empty when it is not set.

    What is wrong is said without the value, because there is a secret in it.
    """
    text = env.text(name, "")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be one JSON object.") from None
    if not isinstance(found, dict):
        raise ImproperlyConfigured(f"{name} must be one JSON object, with a name for each provider.")
    return {key: provider(f"{name}, {key}", key, value) for key, value in found.items()}


def provider(where: str, key: str, value: Any) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z0-9-]{1,40}", key):
        raise ImproperlyConfigured(f"{where}: the name may hold small letters, digits and hyphens.")
    if not isinstance(value, dict) or (unknown := value.keys() - REQUIRED.keys() - DEFAULTS.keys()):
        told = f" without {', '.join(sorted(unknown))}" if isinstance(value, dict) else ""
        raise ImproperlyConfigured(f"{where} must be an object{told}.")
    for field in REQUIRED:
        if not isinstance(value.get(field), str) or not value[field]:
            raise ImproperlyConfigured(f"{where} needs {field}.")
    complete = DEFAULTS | value
    for field, default in DEFAULTS.items():
        if type(complete[field]) is not type(default):
            raise ImproperlyConfigured(f"{where}: {field} must be like {json.dumps(default)}.")
    parts = urlsplit(complete["issuer"])
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ImproperlyConfigured(f"{where}: the issuer must be an https address.")
    if "openid" not in complete["scope"].split():
        raise ImproperlyConfigured(f"{where}: the scope must hold openid.")
    return complete
