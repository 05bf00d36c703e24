"""Tracked objects that wait for their picture, and those that were seen to, in the outbox's database.

An object is here once under Frigate's id: a message that comes again, or the end of an object that was sent at once,
changes nothing. What was seen to is remembered for `KEPT_S`, longer than a broker or the list of events repeats it.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from inference.edge import log
from inference.edge.outbox import Outbox
from inference.frigate.rules import Reason
from inference.frigate.tracked import Tracked

KEPT_S = 30 * 86400.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS frigate_object (
    id TEXT PRIMARY KEY, tracked BLOB, reason BLOB, tries INTEGER NOT NULL DEFAULT 0,
    received_at REAL NOT NULL, due_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS frigate_object_waiting ON frigate_object (due_at) WHERE tracked IS NOT NULL;
CREATE INDEX IF NOT EXISTS frigate_object_done ON frigate_object (received_at) WHERE tracked IS NULL;
CREATE TABLE IF NOT EXISTS frigate_mark (name TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Due:
    """An object whose picture is to be fetched; `tries` have failed, `waited_s` have passed since it came."""

    tracked: Tracked
    reason: Reason
    tries: int
    waited_s: float


class Inbox:
    """Safe for several threads of one process. Every write is on disk when the call returns."""

    def __init__(self, outbox: Outbox, most_waiting: int, now: Callable[[], float] = time.time) -> None:
        self._outbox = outbox
        self._most_waiting = most_waiting
        self._now = now
        with outbox.reading() as db:
            db.executescript(_SCHEMA)

    def put(self, tracked: Tracked, reason: Reason) -> bool:
        """Take an object in; False when it is known. Raises `OSError` and `sqlite3.Error` when the disk fails."""
        now = self._now()
        row = (tracked.id, msgspec.json.encode(tracked), msgspec.json.encode(reason), now, now)
        with self._outbox.writing() as db:
            new = db.execute(
                "INSERT INTO frigate_object (id, tracked, reason, received_at, due_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                row,
            ).rowcount
            dropped = self._make_room(db) if new else []
        if dropped:
            self._outbox.count("dropped_inbox_full", len(dropped))
            log.warn("objects_dropped", reason="inbox_full", ids=dropped[:20], objects=len(dropped))
        return bool(new)

    def due(self) -> Due | None:
        """The object that has been due for longest, if it can be read."""
        now = self._now()
        with self._outbox.reading() as db:
            row = db.execute(
                "SELECT id, tracked, reason, tries, received_at FROM frigate_object"
                " WHERE tracked IS NOT NULL AND due_at <= ? ORDER BY due_at, id LIMIT 1",
                (now,),
            ).fetchone()
        if row is None:
            return None
        pk, tracked, reason, tries, received_at = row
        try:
            of, why = msgspec.json.decode(tracked, type=Tracked), msgspec.json.decode(reason, type=Reason)
        except msgspec.DecodeError as error:
            # Another version wrote it: one such row must not hold up the others.
            self.drop(pk)
            self._outbox.count("dropped_unreadable")
            log.warn("object_unreadable", id=pk, problem=str(error))
            return None
        return Due(of, why, tries, max(0.0, now - received_at))

    def later(self, due: Due, wait_s: float) -> None:
        """Try again after `wait_s`."""
        with self._outbox.writing() as db:
            db.execute(
                "UPDATE frigate_object SET tries = tries + 1, due_at = ? WHERE id = ?",
                (self._now() + wait_s, due.tracked.id),
            )

    def drop(self, pk: str) -> None:
        """No event will come of it."""
        with self._outbox.writing() as db:
            self.done(pk)(db)

    @staticmethod
    def done(pk: str) -> Callable[[sqlite3.Connection], None]:
        """The write that remembers an object as seen to, for the transaction that stores its event."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE frigate_object SET tracked = NULL, reason = NULL WHERE id = ?", (pk,))

        return write

    def waiting(self) -> int:
        with self._outbox.reading() as db:
            return int(db.execute("SELECT count(*) FROM frigate_object WHERE tracked IS NOT NULL").fetchone()[0])

    def forget(self) -> int:
        """Delete what was seen to long ago; how many."""
        with self._outbox.writing() as db:
            return db.execute(
                "DELETE FROM frigate_object WHERE tracked IS NULL AND received_at < ?", (self._now() - KEPT_S,)
            ).rowcount

    def mark(self, name: str) -> float | None:
        """A moment that was noted, as seconds since 1970."""
        with self._outbox.reading() as db:
            row = db.execute("SELECT at FROM frigate_mark WHERE name = ?", (name,)).fetchone()
        return None if row is None else float(row[0])

    def note(self, name: str, at: float) -> None:
        with self._outbox.writing() as db:
            db.execute(
                "INSERT INTO frigate_mark VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at", (name, at)
            )

    def _make_room(self, db: sqlite3.Connection) -> list[str]:
        """The oldest go first, as in the outbox, so that a flood does not fill the disk."""
        waiting = db.execute("SELECT count(*) FROM frigate_object WHERE tracked IS NOT NULL").fetchone()[0]
        if waiting <= self._most_waiting:
            return []
        old = db.execute(
            "SELECT id FROM frigate_object WHERE tracked IS NOT NULL ORDER BY received_at, id LIMIT ?",
            (waiting - self._most_waiting,),
        ).fetchall()
        for (pk,) in old:
            self.done(pk)(db)
        return [row[0] for row in old]
