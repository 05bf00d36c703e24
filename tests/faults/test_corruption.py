"""F20: a bit flipped, files swapped, rows altered behind the product's back: found by name, never shown as good."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.faults.ledger import Ledger
from tests.faults.product import Product

pytestmark = pytest.mark.slow
SEAL = "from django.utils import timezone; from accounts.seal.sealer import seal; seal(now=timezone.now())"


def test_files_that_are_not_what_was_stored_are_named_and_not_handed_out(embedded: Product, ledger: Ledger) -> None:
    ledger.until(5)
    ledger.stop()
    first, second, third, *_whole = originals(embedded)
    assert opened(embedded, first).status_code == 200
    flip(first)
    swap(second, third)
    assert {opened(embedded, path).status_code for path in (first, second, third)} == {409}
    found = json.loads(embedded.manage("fsck", "--json", fails=True).stdout)
    assert set(found["damaged"]) == {name_of(embedded, path) for path in (first, second, third)}
    assert found["missing_files"] == found["orphan_files"] == []


def test_altered_rows_are_named_by_the_audit(embedded: Product, ledger: Ledger) -> None:
    ledger.until(3)
    ledger.stop()
    embedded.manage("shell", "--no-imports", "-c", SEAL)
    embedded.stop()
    entry = alter(embedded.folder, "accounts_auditentry", "verb")
    event = alter(embedded.folder, "review_event", "top_class")
    told = embedded.manage("verify_audit", "--json", fails=True)
    assert told.returncode == 1
    assert {plain(one["entry"]) for one in json.loads(told.stdout)["errors"]} == {entry, event}


def originals(product: Product) -> list[Path]:
    return sorted(path for path in (product.folder / "media" / "evidence").rglob("*") if path.is_file())


def name_of(product: Product, path: Path) -> str:
    return path.relative_to(product.folder / "media").as_posix()


def opened(product: Product, path: Path) -> httpx.Response:
    """The page's download of an original, by somebody who may."""
    with closing(sqlite3.connect(product.folder / "secondlook.sqlite3")) as connection:
        (key,) = connection.execute("SELECT id FROM review_evidence WHERE sha256 = ?", (path.name,)).fetchone()
    headers = {"Cookie": product.seeded["cookies"]["supervisor"]}
    return httpx.get(f"http://127.0.0.1:{product.port}/media/{UUID(key)}/original/", headers=headers, timeout=10)


def flip(path: Path) -> None:
    """Change one bit in the midst of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def alter(folder: Path, table: str, column: str) -> str:
    """Change a text of one row, as a bad disk or a person with the file would; its id."""
    with closing(sqlite3.connect(folder / "secondlook.sqlite3")) as connection:
        named = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        for (name,) in connection.execute(named, (table,)).fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        (key,) = connection.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 1").fetchone()
        connection.execute(f"UPDATE {table} SET {column} = {column} || ' ' WHERE id = ?", (key,))
        connection.commit()
    return plain(key)


def plain(key: object) -> str:
    """An id without its hyphens, as SQLite keeps it."""
    return str(key).replace("-", "")
