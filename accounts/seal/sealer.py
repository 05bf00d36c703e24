"""The sealer: gives waiting rows their places in the log, and signs what the log is then.

Rows are read and hashed before the transaction, which then only writes: whoever intakes or answers waits for a few
hundredths of a second at most on SQLite, and not at all on PostgreSQL. Sealers go one at a time; should two ever work
from the same checkpoint, the second finds it moved on, and the unique constraints would refuse its leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.exceptions import SecondLookError
from accounts.inserts import Inserts
from accounts.models import Lease
from accounts.models.seal import Checkpoint, Leaf, Unsealed
from accounts.seal import keys, rows
from accounts.seal.kinds import KINDS
from accounts.seal.merkle import Frontier, leaf_hash
from accounts.seal.note import BadNote, Signed, Signer, checkpoint_text, open_note
from accounts.seal.store import Incomplete, last_checkpoint, node_rows, stored_frontier

logger = structlog.get_logger(__name__)
BATCH = 2_000
# One tick seals so many at most, and leaves the rest to the next one.
BATCHES_PER_TICK = 5
EVERY = timedelta(seconds=20)
# A row that cannot be read is tried again this often.
UNREADABLE_AGAIN = timedelta(hours=1)


class CannotSeal(SecondLookError):
    """The log cannot grow: its end is not what its last checkpoint says, or no known key signed that."""

    code = "cannot_seal"


@dataclass(frozen=True)
class Waiting:
    """One row of a batch with its leaf's hash."""

    ticket: int
    kind: str
    row: str
    hash: bytes


@dataclass(frozen=True)
class Batch:
    """What the next transaction writes: leaves, rows that only leave the list, with the reason, and `tickets` of both.

    `unreadable` are rows that are there and cannot be read: kind, key and ticket. They go on waiting.
    """

    leaves: Sequence[Waiting]
    dropped: Sequence[tuple[str, str, str]]
    tickets: Sequence[int]
    unreadable: Sequence[tuple[str, str, int]] = ()

    @property
    def empty(self) -> bool:
        return not self.tickets and not self.unreadable


def seal_when_due(*, now: datetime) -> int:
    """The tick's part: at once when a batch is full, else every 20 seconds; how many rows were sealed."""
    full = Unsealed.objects.filter(unreadable_at=None).order_by("id")[BATCH - 1 : BATCH].exists()
    if not Lease.objects.take("seal-due", holder=str(now), now=now, lasts=EVERY) and not full:
        return 0
    return seal(now=now, batches=BATCHES_PER_TICK)


def seal(*, now: datetime, batches: int | None = None) -> int:
    """Seal what waits, in batches with a checkpoint each; how many rows that were. Raises CannotSeal."""
    sealed = made = 0
    while batches is None or made < batches:
        end = last_checkpoint()
        frontier, signer, last = log_end(end)
        batch = gather(now)
        if batch.empty:
            break
        done = append(batch, frontier, signer, last=last, now=now)
        sealed += done
        made += 1
    return sealed


def log_end(end: Checkpoint | None) -> tuple[Frontier, Signer, Signed | None]:
    """The end of the log, checked against its signed checkpoint, and the key that goes on signing."""
    if end is None:
        return Frontier(), keys.signer(), None
    origin = end.note.partition("\n")[0]
    try:
        last = open_note(end.note, keys.trusted(origin))
        frontier = stored_frontier(last.size)
    except (BadNote, Incomplete) as error:
        raise CannotSeal(f"The log's end cannot be trusted, so nothing is added to it: {error}.") from None
    if frontier.root() != last.root:
        raise CannotSeal("The log's end is not what its checkpoint says, so nothing is added to it.")
    return frontier, keys.signer(origin), last


def gather(now: datetime) -> Batch:
    """The next rows to seal, in the order in which they were written."""
    due = Q(unreadable_at=None) | Q(unreadable_at__lte=now - UNREADABLE_AGAIN)
    waiting = Unsealed.objects.filter(due, kind__in=KINDS).order_by("id")
    found = list(waiting.values_list("id", "kind", "row")[:BATCH])
    hashes: dict[tuple[str, str], bytes] = {}
    leaves: list[Waiting] = []
    dropped: list[tuple[str, str, str]] = []
    damaged: set[tuple[str, str]] = set()
    for name, kind in KINDS.items():
        wanted = list({row for _ticket, of, row in found if of == name})
        done = set(Leaf.objects.filter(kind=name, row__in=wanted).values_list("row", flat=True)) if wanted else set()
        dropped += [(name, row, "already sealed") for row in sorted(done)]
        there = rows.leaves(kind, kind.layout, [row for row in wanted if row not in done]) if wanted else {}
        hashes |= {(name, row): leaf_hash(told.data) for row, told in there.items()}
        unread = set(wanted) - done - there.keys()
        gone = rows.missing(kind, sorted(unread)) if unread else set()
        dropped += [(name, row, "gone before it was sealed") for row in sorted(gone)]
        damaged |= {(name, row) for row in unread - gone}
    for ticket, name, row in found:
        if (name, row) in hashes:
            leaves.append(Waiting(ticket, name, row, hashes.pop((name, row))))
    unreadable = [(name, row, ticket) for ticket, name, row in found if (name, row) in damaged]
    return Batch(leaves, dropped, [one[0] for one in found if one[1:] not in damaged], unreadable)


def append(batch: Batch, frontier: Frontier, signer: Signer, *, last: Signed | None, now: datetime) -> int:
    """Write one batch behind the log's end; 0 when another sealer was faster. One transaction."""
    start = frontier.size
    nodes = frontier.extend([one.hash for one in batch.leaves])
    root = frontier.root()
    log = Inserts([*leaf_rows(batch.leaves, start), *node_rows(nodes)])
    with transaction.atomic():
        Lease.objects.one_at_a_time("seal", now=now)
        end = last_checkpoint()
        if (end.size if end else 0) != start:
            return 0
        if batch.leaves:
            log.write()
            note = signer.sign(checkpoint_text(signer.name, frontier.size, root))
            end = Checkpoint.objects.create(size=frontier.size, root=root, note=note, created_at=now)
        Unsealed.objects.filter(id__in=batch.tickets).delete()
        tell(batch, end, signer, last)
        put_aside(batch, end, now)
    return len(batch.leaves)


def leaf_rows(leaves: Sequence[Waiting], start: int) -> list[Leaf]:
    """New rows for these leaves from place `start` on, not written yet."""
    return [
        Leaf(
            index=start + place,
            kind=one.kind,
            layout=KINDS[one.kind].layout,
            row=one.row,
            hash=one.hash,
            ticket=one.ticket,
        )
        for place, one in enumerate(leaves)
    ]


def tell(batch: Batch, end: Checkpoint | None, signer: Signer, last: Signed | None) -> None:
    """Entries about what is not everyday: another key, rows that waited in vain."""
    for kind, row, why in batch.dropped:
        logger.error("seal_row_dropped", kind=kind, row=row, why=why)
        if end is not None:
            audit.record("seal.row_dropped", actor=None, on=end, kind=kind, row=row, why=why)
    if end is not None and last is not None and last.key != signer.verifier:
        audit.record("seal.key_changed", actor=None, on=end, before=last.key.vkey, after=signer.verifier.vkey)


def put_aside(batch: Batch, end: Checkpoint | None, now: datetime) -> None:
    """Rows that cannot be read go on waiting, and hold up none of those behind them; the first time leaves an entry.

    That is safe because a place in the log tells when a row was sealed, and its ticket when it was written.
    """
    for kind, row, ticket in batch.unreadable:
        new = Unsealed.objects.filter(pk=ticket, unreadable_at=None).update(unreadable_at=now)
        again = 0 if new else Unsealed.objects.filter(pk=ticket).update(unreadable_at=now)
        logger.error("seal_row_unreadable", kind=kind, row=row, again=bool(again))
        # When nothing at all can be read, an entry about it could not be either, and would bring the next one.
        if new and batch.leaves:
            audit.record("seal.row_unreadable", actor=None, on=end, kind=kind, row=str(rows.row_id(KINDS[kind], row)))
