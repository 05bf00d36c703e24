"""Entry point of `manage.py` and of the console script `secondlook`."""

import os
import secrets
import sys
from pathlib import Path

# What changes tables, or a whole database: these run as the role that owns them, where there is one.
AS_OWNER = {"migrate", "database_roles", "restore"}
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


def choose_role(command: str) -> None:
    """Let the commands of the owner sign in to the database as the owner, everything else as the running role."""
    owner, running = os.environ.get("SECONDLOOK_MIGRATION_DATABASE_URL"), os.environ.get("SECONDLOOK_DATABASE_URL")
    if command in AS_OWNER and owner and running:
        os.environ["SECONDLOOK_RUNNING_DATABASE_URL"] = running
        os.environ["SECONDLOOK_DATABASE_URL"] = owner


def main() -> None:
    """Run one management command; without DJANGO_SETTINGS_MODULE it is the embedded server's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", EMBEDDED)
    choose_role(sys.argv[1] if len(sys.argv) > 1 else "")
    if os.environ["DJANGO_SETTINGS_MODULE"] == EMBEDDED:
        if "--lan" in sys.argv:
            os.environ["SECONDLOOK_TLS"] = "1"
        data_folder().mkdir(parents=True, exist_ok=True)
        if not os.environ.get("SECONDLOOK_SECRET_KEY"):
            os.environ["SECONDLOOK_SECRET_KEY"] = ensure_secret(data_folder())
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make demo` or `make serve`, or use .venv's python.")
    execute_from_command_line(sys.argv)
