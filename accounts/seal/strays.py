"""Rows that the log does not know, and that do not wait for it either: put in behind the database's triggers."""

from collections.abc import Iterator

from django.db import connection

from accounts.models.seal import Leaf, Unsealed
from accounts.seal import rows
from accounts.seal.findings import KEPT, Problem
from accounts.seal.kinds import KINDS, Kind
from accounts.seal.log_check import JITTER
from accounts.seal.waiting import key_sql


def strays() -> Iterator[Problem]:
    for kind in KINDS.values():
        for row in unknown(kind):
            text = "It was put in behind the log: it is neither sealed nor waiting to be."
            yield Problem(rows.row_id(kind, row), text, "inserted", kind.name)
        if kind.counts:
            yield from misplaced(kind)


def unknown(kind: Kind) -> list[str]:
    """The keys of rows without a leaf that do not wait for one; one statement, so that a sealer at work hides none."""
    key = key_sql(connection.vendor, kind, "t")
    sql = (
        f'SELECT {key} FROM "{kind.table._meta.db_table}" t '  # noqa: S608
        f'LEFT JOIN accounts_leaf l ON l.kind = %s AND l."row" = {key} '
        f'LEFT JOIN accounts_unsealed u ON u.kind = %s AND u."row" = {key} '
        f'WHERE l."index" IS NULL AND u.id IS NULL ORDER BY t.id LIMIT {KEPT}'
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [kind.name, kind.name])
        return [row for (row,) in cursor.fetchall()]


def misplaced(kind: Kind) -> Iterator[Problem]:
    """Rows that wait although rows with higher numbers were sealed before these were written."""
    newest = Leaf.objects.filter(kind=kind.name).order_by("-ticket").values_list("row", "ticket").first()
    if newest is None or not newest[0].isdecimal():
        return
    highest, ticket = int(newest[0]), newest[1]
    waiting = Unsealed.objects.filter(kind=kind.name, id__gt=ticket).order_by("id").values_list("row", flat=True)[:KEPT]
    for row in waiting:
        if row.lstrip("-").isdecimal() and int(row) < highest - JITTER[connection.vendor]:
            text = "It was put in among older entries: its number is lower than those of sealed entries."
            yield Problem(int(row), text, "inserted", kind.name)
