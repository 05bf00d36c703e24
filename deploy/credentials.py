"""Generated passwords and tokens of the embedded server, kept in its data folder for its owner only."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

# No letters that look alike.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """Sixteen letters and digits in groups of four: some 79 bits, and easy to type."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(16))
    return "-".join(letters[place : place + 4] for place in range(0, 16, 4))


def credentials_file(name: str) -> Path:
    return Path(settings.DATA_DIR) / f"{name}.json"


def load(name: str) -> dict[str, Any]:
    """What was kept under `name`; empty when there is nothing."""
    path = credentials_file(name)
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def keep(name: str, values: dict[str, Any]) -> None:
    """Write `values` so that only the owner can read them."""
    path = credentials_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
