"""What of repeating footage was posted already, kept in the outbox database across restarts."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from inference.edge import clock
from inference.edge.config import PaceConfig
from inference.edge.fold import Candidate
from inference.edge.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Known:
    """A sighting that was posted: how often, and its row."""

    id: int
    posted: int


class Memory:
    """Two sightings are the same when class, place and position in the footage are near each other."""

    def __init__(self, outbox: Outbox, pace: PaceConfig) -> None:
        self._outbox = outbox
        self._pace = pace

    def recall(self, candidate: Candidate) -> Known | None:
        """The sighting that this candidate repeats, the least often posted one; None for a fresh one."""
        frame = candidate.sighting.frame
        if frame.footage is None or frame.position is None:
            return None
        x, y = _centre(candidate)
        length, reach = frame.footage.frames, self._pace.repeat_frames
        with self._outbox.reading() as db:
            rows = db.execute(
                "SELECT id, posted, position, x, y FROM sighting WHERE footage = ? AND class = ? ORDER BY posted, id",
                (frame.footage.sha256, candidate.subject.detection.name),
            ).fetchall()
        for row, posted, position, at_x, at_y in rows:
            apart = abs(position - frame.position)
            near = max(abs(at_x - x), abs(at_y - y)) <= self._pace.repeat_px
            if near and min(apart, length - apart) <= reach:
                return Known(row, posted)
        return None

    def note(self, candidate: Candidate, known: Known | None) -> Callable[[sqlite3.Connection], None] | None:
        """The write that remembers a post, for the transaction that stores the event; None for live cameras."""
        frame = candidate.sighting.frame
        if frame.footage is None:
            return None
        at = clock.stamp(clock.now())
        if known is not None:
            update = "UPDATE sighting SET posted = posted + 1, posted_at = ? WHERE id = ?"
            return lambda db: _run(db, update, (at, known.id))
        row = (frame.footage.sha256, frame.position, candidate.subject.detection.name, *_centre(candidate), 1, at)
        insert = "INSERT INTO sighting (footage, position, class, x, y, posted, posted_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        return lambda db: _run(db, insert, row)


def _run(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> None:
    db.execute(statement, values)


def _centre(candidate: Candidate) -> tuple[float, float]:
    x, y, width, height = candidate.subject.detection.box
    return x + width / 2, y + height / 2
