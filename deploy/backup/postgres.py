"""PostgreSQL: pg_dump and pg_restore of the server's version; how to sign in goes by the environment only."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from deploy.backup.exceptions import BackupError, Damaged, Full, Unusable
from deploy.backup.rows import Query

NAME = "database.dump"
PLACES = "/usr/lib/postgresql"
# Options of the address that libpq reads from variables of their own.
OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
BATCH = 2000


def tool(name: str) -> str:
    """`pg_dump` or `pg_restore` of the server's major version, or a newer one. Raises Unusable."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10000
    exact = Path(PLACES) / str(server) / "bin" / name
    found = str(exact) if exact.exists() else shutil.which(name)
    if found is None:
        raise Unusable(f"{name} is not installed. Install the client tools of PostgreSQL {server}.")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\b(\d+)[.\d]*", said)
    if version is None or int(version[1]) < server:
        raise Unusable(f"{found} is older than the server. Install the client tools of PostgreSQL {server}.")
    return found


def environment() -> dict[str, str]:
    """How to reach the database, where no list of processes shows it."""
    told = connection.settings_dict
    wanted = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    found = {variable: str(told[key]) for variable, key in wanted.items() if told.get(key)}
    for option, variable in OPTIONS.items():
        if value := told["OPTIONS"].get(option):
            found[variable] = str(value)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECONDLOOK_")}
    return kept | found


@contextmanager
def snapshot(folder: Path) -> Iterator[Query]:
    """Dump one moment of the database, and offer queries on that same moment."""
    dump = tool("pg_dump")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            (name,) = cursor.fetchone()
        run([dump, "-Fc", "--no-owner", "--no-privileges", f"--snapshot={name}", "-f", str(folder / NAME)])
        yield rows


def rows(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while batch := cursor.fetchmany(BATCH):
            yield from batch


def run(command: list[str]) -> None:
    """Run a tool. Raises Full or BackupError with the last line that it said."""
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        if "No space left" in done.stderr:
            raise Full("The target has no room for the database.")
        raise BackupError(f"{Path(command[0]).name} failed: {said[0]}")


def is_empty() -> bool:
    return not connection.introspection.table_names()


def restore(folder: Path) -> None:
    """Put every table back, all or none. Tables that are there (and hold nothing) go first."""
    tool_path = tool("pg_restore")
    names = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)} CASCADE")
    connection.close()
    # Functions of the triggers may be there still, where tables were.
    command = [tool_path, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    command += ["--clean", "--if-exists"]
    try:
        run([*command, "-d", str(connection.settings_dict["NAME"]), str(folder / NAME)])
    except BackupError as error:
        raise Damaged(NAME, f"could not be read in ({error})") from None
