"""The baseline of intake: a bare Django view on Daphne that stores a file and one row durably, and nothing else.

Run as a process: `python -m deploy.benchmarks.bare FOLDER PORT`.
"""

import hashlib
import os
import sys
import uuid
from pathlib import Path
from typing import Any


def configure(folder: Path) -> None:
    from django.conf import settings

    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="deploy.benchmarks.bare_urls",
        MIDDLEWARE=[],
        DATABASES={
            "default": {
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
    """Write the posted file (temporary file, fsync, rename, fsync of the folder), then one row."""
    from django.db import connection, transaction
    from django.http import HttpResponse

    from review.evidence_store import write_durably

    data = request.FILES["frame"].read()
    sha256 = hashlib.sha256(data).hexdigest()
    write_durably(folder / "files" / f"{sha256}-{uuid.uuid4().hex[:8]}", data)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bare (sha256) VALUES (%s)", [sha256])
    return HttpResponse(status=201)


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
        cursor.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, sha256 TEXT)")
    Server(get_asgi_application(), endpoints=[f"tcp:port={port}:interface=127.0.0.1"]).run()


if __name__ == "__main__":
    main()
