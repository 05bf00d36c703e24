"""The bare view of deploy/benchmarks/bare.py for gunicorn, on the PostgreSQL of `BARE_DATABASE`."""

import os
from pathlib import Path

import django
from django.core.wsgi import get_wsgi_application

from deploy.benchmarks.bare import configure
from deploy.settings.env import database

TABLE = "CREATE TABLE IF NOT EXISTS bare (id BIGSERIAL PRIMARY KEY, sha256 TEXT)"

configure(Path(os.environ["BARE_FOLDER"]), database("BARE_DATABASE"))
django.setup()
application = get_wsgi_application()

from django.db import connection  # noqa: E402

with connection.cursor() as cursor:
    # Two processes that make it at once must not collide.
    cursor.execute("SELECT pg_advisory_lock(1)")
    cursor.execute(TABLE)
connection.close()
