"""Entry point of `manage.py` and of the console script `secondlook`."""

import os
import secrets
import sys
from pathlib import Path

EMBEDDED = "deploy.settings.embedded"


def data_folder() -> Path:
    """Where the embedded server keeps database, files and secrets."""
    return Path(os.environ.get("SECONDLOOK_DATA") or Path(__file__).resolve().parents[1] / "var")


def ensure_secret(folder: Path) -> str:
    """The embedded server's secret key: made once, readable by its owner only, never printed.

    Two starts at once agree, because only one of them can create the file.
    """
    path = folder / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text(encoding="ascii").strip()


def main() -> None:
    """Run one management command; without DJANGO_SETTINGS_MODULE it is the embedded server's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", EMBEDDED)
    if os.environ["DJANGO_SETTINGS_MODULE"] == EMBEDDED:
        data_folder().mkdir(parents=True, exist_ok=True)
        if not os.environ.get("SECONDLOOK_SECRET_KEY"):
            os.environ["SECONDLOOK_SECRET_KEY"] = ensure_secret(data_folder())
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make demo` or `make serve`, or use .venv's python.")
    execute_from_command_line(sys.argv)
