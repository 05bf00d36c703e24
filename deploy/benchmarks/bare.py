"""The baseline of intake: a bare Django view that stores a file and one row durably, and nothing else.

Run as a process on Daphne and SQLite: `python -m deploy.benchmarks.bare FOLDER PORT`. On gunicorn and PostgreSQL it is
`deploy.benchmarks.bare_wsgi`.
"""

import hashlib
import os
import sys
import uuid
from pathlib import Path
from typing import Any

TABLE = "CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, sha256 TEXT)"


def configure(folder: Path, database: dict[str, Any] | None = None) -> None:
    from django.conf import settings

    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="deploy.benchmarks.bare_urls",
        MIDDLEWARE=[],
        DATABASES={
            "default": database
            or {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "bare.sqlite3",
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        },
    )


def store(folder: Path, request: Any) -> Any:
    """Write the posted file durably, then one row."""
    from django.db import connection, transaction
    from django.http import HttpResponse

    data = request.FILES["frame"].read()
    sha256 = hashlib.sha256(data).hexdigest()
    write(folder / f"{sha256}-{uuid.uuid4().hex[:8]}", data)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bare (sha256) VALUES (%s)", [sha256])
    return HttpResponse(status=201)


def write(path: Path, data: bytes) -> None:
    """A temporary file, fsync, rename, and fsync of the folder."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    os.environ["BARE_FOLDER"] = str(folder)
    configure(folder)
    import django

    django.setup()
    from daphne.server import Server
    from django.core.asgi import get_asgi_application
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    Server(get_asgi_application(), endpoints=[f"tcp:port={port}:interface=127.0.0.1"]).run()


if __name__ == "__main__":
    main()
