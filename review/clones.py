"""Whether events of one source were made by two devices. Pure: it is told what arrived, in the order of arrival.

One device runs one boot after the other, so once a later boot has made an event, the earlier one makes none. What it
made before may still arrive later (a spool that is emptied, urgent lanes first), but it was captured earlier. So a boot
that comes back with an event that was captured later than all others is a sign of two devices at work. A clock that was
slow at a start can make one such return look real; that several follow each other takes two devices.

A device gives each number once, whatever boots it. Numbers that two boots have given are those of a device that was
set up anew, whose old boot never comes back, or of a copy that goes on counting where the original does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inference.models import CloneClue

# So many returns, with no third boot between them.
RETURNS = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as its device stamped it: which boot made it, under which number, and when it was captured."""

    event_id: UUID
    boot_id: str
    seq: int | None
    captured_at: datetime


@dataclass(frozen=True, slots=True)
class Clue:
    """What gave two devices away, with the boot ids that are involved."""

    kind: CloneClue
    boots: tuple[str, ...]


class Turns:
    """How often two boots came back after each other, with no third one between them."""

    def __init__(self) -> None:
        self.boots: tuple[str, ...] = ()
        self.returns = 0

    def take(self, boot_id: str) -> bool:
        """Whether `boot_id` has the turn now; true once it takes two devices to explain."""
        if self.boots[-1:] != (boot_id,):
            self.returns = self.returns + 1 if boot_id in self.boots else 0
            self.boots = (*self.boots[-1:], boot_id)
        return self.returns >= RETURNS


def clue_in(seen: Iterable[Seen]) -> Clue | None:
    """The first sign of two devices among events of one source, which are no repeats of each other."""
    numbered: dict[tuple[str, int], UUID] = {}
    boot_of: dict[int, str] = {}
    arrivals, captures = Turns(), Turns()
    counted_twice = False
    latest: datetime | None = None
    for one in seen:
        if one.seq is not None:
            if numbered.setdefault((one.boot_id, one.seq), one.event_id) != one.event_id:
                return Clue(CloneClue.SEQUENCE, (one.boot_id,))
            counted_twice |= boot_of.setdefault(one.seq, one.boot_id) != one.boot_id
        if arrivals.take(one.boot_id) and counted_twice:
            return Clue(CloneClue.SEQUENCE, arrivals.boots)
        if latest is None or one.captured_at > latest:
            latest = one.captured_at
            if captures.take(one.boot_id):
                return Clue(CloneClue.BOOTS, captures.boots)
    return None
