"""SQLite: a consistent copy of the file through the online backup API, while others write."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from deploy.backup.copying import copy as copy_file
from deploy.backup.exceptions import BackupError, Damaged, Full
from deploy.backup.rows import Query

NAME = "database.sqlite3"
BESIDE = ("-wal", "-shm", "-journal")


def database_file() -> Path:
    return Path(connection.settings_dict["NAME"])


@contextmanager
def snapshot(folder: Path) -> Iterator[Query]:
    """Write the database to `folder`, and offer queries on what was written.

    All pages are copied in one step: a reader of a WAL file holds up no writer, and sees one moment.
    """
    path = folder / NAME
    try:
        address = f"{database_file().absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")
        with closing(sqlite3.connect(path)) as copy:
            (found,) = copy.execute("PRAGMA quick_check").fetchone()
            if found != "ok":
                raise BackupError(f"The database is damaged: {found}. Restore an earlier backup.")
            yield lambda sql: rows(copy, sql)
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise Full("The target has no room for the database.") from None
        raise BackupError(f"The database could not be copied: {error}.") from None


def rows(copy: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    yield from copy.execute(sql)


def is_empty() -> bool:
    """Whether there is no database, or one without a table."""
    path = database_file()
    if not path.exists() or not path.stat().st_size:
        return True
    with closing(sqlite3.connect(path)) as existing:
        return not existing.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def restore(folder: Path) -> None:
    """Put the database in its place, in one step."""
    path = database_file()
    connection.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    coming = path.with_name(f"{path.name}.restoring")
    with (folder / NAME).open("rb") as file:
        copy_file(file, coming)
    with closing(sqlite3.connect(coming)) as check:
        if check.execute("PRAGMA quick_check").fetchone() != ("ok",):
            coming.unlink()
            raise Damaged(NAME, "is no whole database")
    for ending in BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    coming.replace(path)
