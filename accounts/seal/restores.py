"""What restored backups explain: checkpoints at anchors that were left between the backup and its return.

A signed note has no time. What lies in a file of notes from before a restore is told by the file: by its own time when
nothing came later, else by the order of its notes, in which sizes fall where the log began again further down, and by
the largest size that the anchors held when the backup came back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from accounts.models import AuditEntry
from accounts.models.seal import Checkpoint
from accounts.seal.anchored import Mark, NoteFile

RESTORED = "system.restored"


@dataclass(frozen=True)
class Restore:
    """A restore as its entry tells it: how much was sealed then, when, and what the anchors held (None: not known)."""

    sealed: int
    at: datetime
    anchored: int | None

    def explains_in(self, file: NoteFile, begin: int) -> int:
        """Where the notes from before this restore end, of those from place `begin` on."""
        sizes = [size for size, _root in file.marks]
        falls = (place for place, (one, other) in enumerate(pairwise(sizes[begin:]), begin + 1) if other < one)
        fall = next(falls, None)
        if self.anchored is None:
            return begin if fall is None else fall
        above = (place for place in range(begin, len(sizes)) if sizes[place] > self.anchored)
        beyond = next(above, len(sizes))
        return beyond if fall is None else min(beyond, fall)


def restores() -> list[Restore]:
    """The restores that the log tells of, the first one first; entries that tell nothing usable explain nothing."""
    rows = AuditEntry.objects.filter(verb=RESTORED).order_by("id").values_list("additional_data", flat=True)
    return [restore for facts in rows if (restore := restore_of(facts)) is not None]


def restore_of(facts: Any) -> Restore | None:
    try:
        sealed, at, anchored = int(facts["sealed"]), datetime.fromisoformat(facts["restored_at"]), facts.get("anchored")
        known = None if anchored is None else int(anchored)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    began_later = sealed == 0
    if at.tzinfo is None or not (began_later or Checkpoint.objects.filter(size=sealed).exists()):
        return None
    return Restore(sealed, at, known)


def explained(files: Sequence[NoteFile], wrong: set[Mark], found: Sequence[Restore]) -> set[Mark]:
    """Those of the `wrong` marks of which every copy was left between a backup and its return."""
    good, bad = set[Mark](), set[Mark]()
    for file in files:
        reasons = reasons_in(file, found)
        for mark, restore in zip(file.marks, reasons, strict=True):
            if mark in wrong:
                (good if restore is not None and mark[0] > restore.sealed else bad).add(mark)
    return good - bad


def reasons_in(file: NoteFile, found: Sequence[Restore]) -> list[Restore | None]:
    """For each note of a file the restore that it was left before."""
    if later := [one for one in found if file.changed_at <= one.at]:
        # Nothing was added since: all of it is from before.
        return [later[0]] * len(file.marks)
    reasons: list[Restore | None] = []
    for restore in found if len(file.marks) > 1 else []:
        end = restore.explains_in(file, len(reasons))
        reasons += [restore] * (end - len(reasons))
    return reasons + [None] * (len(file.marks) - len(reasons))
