"""Reading rows as leaves, many at a time, straight from the database."""

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.db import DatabaseError, InterfaceError, OperationalError, connection, models, transaction

from accounts.giving_way import give_way
from accounts.seal.kinds import Kind, Parts
from accounts.seal.leaf import Columns, encode

# Rows that are encoded before others may go first.
STRETCH = 10


class Told(NamedTuple):
    """The bytes of a leaf, and the row's own time in them."""

    data: bytes
    at: str


def leaves(kind: Kind, layout: int, rows: Sequence[str]) -> dict[str, Told]:
    """The leaves of those `rows` (keys as in `Leaf.row`) that are there and can be read."""
    try:
        return read(kind, layout, rows)
    except (DatabaseError, ValueError, TypeError, RecursionError) as error:
        if not spoilt(error):
            raise
    if len(rows) == 1:
        return {}
    # Damaged bytes, or a value of another type, spoil a whole batch: find out which.
    middle = len(rows) // 2
    return leaves(kind, layout, rows[:middle]) | leaves(kind, layout, rows[middle:])


def spoilt(error: Exception) -> bool:
    """Whether it is about a value, and not about the database being out of reach."""
    return not isinstance(error, OperationalError | InterfaceError) or "decode" in str(error)


def read(kind: Kind, layout: int, rows: Sequence[str]) -> dict[str, Told]:
    columns = columns_of(kind.model, kind.layouts[layout], connection.vendor)
    keys = []
    for text in rows:
        with suppress(ValueError):
            keys.append(kind.key(text))
    if not keys:
        return {}
    # A savepoint keeps the caller's transaction whole; a transaction of our own would keep writers out on SQLite.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        found = select(kind.table, "id", columns, keys)
        parts = parts_of(kind.parts, keys) if kind.parts else None
    told: dict[str, Told] = {}
    for place, raw in enumerate(found):
        if place % STRETCH == STRETCH - 1:
            give_way()
        key, row = key_text(raw[0]), columns.values(raw[1:])
        at = str(row[kind.told_at])
        if parts is not None and kind.parts:
            row[kind.parts.name] = parts[key]
        told[key] = Told(encode({"kind": kind.name, "layout": layout, "row": row}).encode(), at)
    return told


def parts_of(parts: Parts, keys: list[Any]) -> dict[str, list[dict[str, Any]]]:
    """The parts of each row, in their order, by the row's key."""
    columns = columns_of(parts.model, parts.columns, connection.vendor)
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for raw in select(apps.get_model(parts.model), parts.parent, columns, keys, order=parts.order):
        found[key_text(raw[0])].append(columns.values(raw[1:]))
    return found


def select(
    model: type[models.Model], by: str, columns: Columns, keys: list[Any], *, order: str = ""
) -> list[tuple[Any, ...]]:
    """Rows of `model` whose column `by` is one of `keys`: that column first, then the columns."""
    quote = connection.ops.quote_name
    ordered = f" ORDER BY {quote(order)}" if order else ""
    sql = f"SELECT {quote(by)}, {columns.sql} FROM {quote(model._meta.db_table)} WHERE {quote(by)} "  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"{sql} = ANY(%s){ordered}", [[uuid_of(key) for key in keys]])
        else:
            cursor.execute(f"{sql} IN (SELECT value FROM json_each(%s)){ordered}", [json.dumps(keys)])  # noqa: S608
        return list(cursor.fetchall())


@lru_cache(maxsize=64)
def columns_of(model: str, names: tuple[str, ...], vendor: str) -> Columns:
    return Columns.of(apps.get_model(model), names, connection)


def key_text(key: Any) -> str:
    """A key as `Leaf.row` writes it."""
    return key.hex if isinstance(key, UUID) else str(key)


def missing(kind: Kind, rows: Sequence[str]) -> set[str]:
    """Those of `rows` that the table does not have."""
    keys = [uuid_of(kind.key(row)) for row in rows]
    return set(rows) - {
        key_text(key) for key in kind.table._base_manager.filter(pk__in=keys).values_list("pk", flat=True)
    }


def uuid_of(key: Any) -> Any:
    return UUID(hex=key) if isinstance(key, str) else key


def row_id(kind: Kind, row: str) -> int | str:
    """The key as people and the API write it."""
    try:
        return int(row) if kind.counts else str(UUID(hex=row))
    except ValueError:
        return row
