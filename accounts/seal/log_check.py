"""One pass over the log: it is read in the order of its index, each row hashed again, each checkpoint's root compared.

Memory is constant: a page of leaves, a page of checkpoints, and the roots that anchors hold.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from accounts.models.seal import Checkpoint, Leaf, LeafNode
from accounts.seal import rows
from accounts.seal.anchored import Anchored, Mark
from accounts.seal.findings import NAMED, Findings, Problem
from accounts.seal.kinds import KINDS
from accounts.seal.merkle import Frontier, Node, leaf_hash
from accounts.seal.note import BadNote, Verifier, open_note
from accounts.seal.rows import Told
from accounts.seal.store import Incomplete, stored_frontier

PAGE = 5_000
# PostgreSQL gives numbers out before rows are committed; rows written at the same moment may swap theirs.
JITTER = {"sqlite": 0, "postgresql": 64}
# A clock that stepped back, a transaction that stayed open, or somebody who writes into the past: worth a look.
LATE = timedelta(minutes=10)
LeafRow = tuple[int, str, int, str, bytes, int]


@dataclass(frozen=True)
class Suspect:
    """A leaf whose row is not what it was, until a checkpoint says which of the two is wrong."""

    index: int
    kind: str
    row: str
    gone: bool


@dataclass
class LogCheck:
    """One pass over the leaves `start` up to `end`; a checkpoint of `start` entries must be there when it is not 0."""

    known: list[Verifier]
    end: int
    start: int = 0
    anchored: Anchored = field(default_factory=Anchored)
    findings: Findings = field(default_factory=Findings)
    origin: str | None = None
    # What an anchor holds that the log did not have at that size.
    differing: set[Mark] = field(default_factory=set)
    tree: Frontier = field(default_factory=Frontier)
    other: Frontier | None = None
    broken: bool = False
    good: int = 0
    suspects: list[Suspect] = field(default_factory=list)
    highest: dict[str, tuple[int, int]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    late: Findings = field(default_factory=Findings)
    last_checkpoint: int = 0

    def run(self) -> None:
        """Read it all; what is wrong is in `findings` afterwards."""
        if not self.begin():
            return
        stops = self.stops()
        stop = next(stops, None)
        for page in self.pages():
            told = self.read(page)
            rest = page
            while rest:
                cut = bisect_left(rest, stop[0], key=itemgetter(0)) if stop else len(rest)
                self.feed(rest[:cut], told)
                rest = rest[cut:]
                while stop and (self.position >= stop[0] or (rest and rest[0][0] >= stop[0])):
                    self.compare(*stop)
                    stop = next(stops, None)
        while stop:
            self.compare(*stop)
            stop = next(stops, None)
        self.finish()

    @property
    def position(self) -> int:
        return self.tree.size

    def begin(self) -> bool:
        """Stand at `start`. Whether that was possible."""
        self.good = self.start
        if not self.start:
            return True
        first = Checkpoint.objects.filter(size=self.start).first()
        signed = self.open(first) if first else None
        try:
            self.tree = stored_frontier(self.start)
        except Incomplete:
            signed = None
        if signed is None or self.tree.root() != signed:
            self.find(None, f"There is no intact checkpoint of {self.start} entries to begin with.", "no_checkpoint")
            return False
        return True

    def pages(self) -> Iterator[list[LeafRow]]:
        """The leaves in order, a page at a time."""
        after = self.start - 1
        columns = ("index", "kind", "layout", "row", "hash", "ticket")
        while True:
            found = Leaf.objects.filter(index__gt=after, index__lt=self.end).order_by("index")[:PAGE]
            page: list[LeafRow] = list(found.values_list(*columns))
            if not page:
                return
            yield page
            after = page[-1][0]

    def stops(self) -> Iterator[tuple[int, Checkpoint | None]]:
        """Where roots are compared: checkpoints, and sizes that anchors hold, in order."""
        anchored = sorted(size for size in self.anchored.roots if self.start < size <= self.end)
        place = 0
        for checkpoint in self.checkpoints():
            while place < len(anchored) and anchored[place] < checkpoint.size:
                yield anchored[place], None
                place += 1
            yield checkpoint.size, checkpoint
        for size in anchored[place:]:
            if size > self.last_checkpoint:
                yield size, None

    def checkpoints(self) -> Iterator[Checkpoint]:
        after = self.start
        while True:
            page = list(Checkpoint.objects.filter(size__gt=after, size__lte=self.end).order_by("size")[:1000])
            if not page:
                return
            yield from page
            self.last_checkpoint = after = page[-1].size

    def read(self, page: list[LeafRow]) -> dict[tuple[str, str], Told]:
        """The rows of a page as their leaves should be."""
        wanted: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for _index, kind, layout, row, _hash, _ticket in page:
            if kind in KINDS and layout in KINDS[kind].layouts:
                wanted[kind, layout].append(row)
        found: dict[tuple[str, str], Told] = {}
        for (kind, layout), keys in wanted.items():
            found |= {(kind, row): told for row, told in rows.leaves(KINDS[kind], layout, keys).items()}
        return found

    def feed(self, leaves: list[LeafRow], told: dict[tuple[str, str], Told]) -> None:
        """Add leaves to the tree as they are stored, and beside it as their rows say once these differ."""
        stored: list[bytes] = []
        actual: list[bytes] = []
        for index, kind, _layout, row, kept, ticket in leaves:
            if index != self.position + len(stored):
                self.extend(stored, actual)
                stored, actual = [], []
                self.gap(self.position, index)
            one = told.get((kind, row))
            now, was = leaf_hash(one.data) if one else bytes(kept), bytes(kept)
            if one is None or now != was:
                self.suspects.append(Suspect(index, kind, row, gone=one is None))
            stored.append(was)
            actual.append(now)
            self.check_order(index, kind, row, ticket)
            if one is not None:
                self.check_time(index, kind, row, one.at)
        self.extend(stored, actual)

    def extend(self, stored: list[bytes], actual: list[bytes]) -> None:
        if self.broken:
            # The hashes before a gap are not known: only the count goes on, until a checkpoint sets the tree right.
            self.tree = Frontier(self.tree.size + len(stored), self.tree.peaks)
            return
        if self.other is None and stored != actual:
            self.other = self.tree.copy()
        if self.other is not None:
            self.other.extend(actual)
        self.check_nodes(self.tree.extend(stored))

    def gap(self, first: int, after: int) -> None:
        which = str(first) if after == first + 1 else f"{first} to {after - 1}"
        self.find(None, f"The leaves of index {which} were removed.", "leaf_removed", index=first)
        self.broken, self.other = True, None
        self.tree = Frontier(after, self.tree.peaks)

    def check_order(self, index: int, kind: str, row: str, ticket: int) -> None:
        """Numbers of a sequence grow with the order of writing; one from far below was put in later."""
        known = KINDS.get(kind)
        if known is None or not known.counts or not row.removeprefix("-").isdecimal():
            return
        number = int(row)
        highest, its_ticket = self.highest.get(kind, (number, ticket))
        if number < highest - JITTER[connection.vendor] and ticket > its_ticket:
            text = (
                "It was put in later among older entries: its number is lower than those of entries sealed before it."
            )
            self.find(rows.row_id(known, row), text, "inserted", kind, index)
        elif number >= highest:
            self.highest[kind] = (number, ticket)

    def check_time(self, index: int, kind: str, row: str, at: str) -> None:
        """Rows that claim to be much older than others of their kind that were sealed before them."""
        latest = self.latest.get(kind, at)
        if at >= latest:
            self.latest[kind] = at
        elif moment(latest) - moment(at) > LATE:
            text = f"It says {at}, and was sealed after an entry of {latest}."
            self.late.add(Problem(rows.row_id(KINDS[kind], row), text, "late", kind, index))

    def check_nodes(self, nodes: list[Node]) -> None:
        """The stored inner nodes are what the leaves make of them; proofs are made from them."""
        for level, group in groupby(sorted(nodes), key=lambda node: node[0]):
            made = {index: found for _level, index, found in group}
            kept = LeafNode.objects.filter(level=level, index__in=list(made)).values_list("index", "hash")
            same = {index for index, found in kept if bytes(found) == made[index]}
            for index in sorted(made.keys() - same):
                first = index << level
                text = f"The inner node over the leaves {first} to {first + (1 << level) - 1} was changed or removed."
                self.find(None, text, "node_changed", index=first)

    def compare(self, size: int, checkpoint: Checkpoint | None) -> None:
        """Compare the tree with what a checkpoint and the anchors say about this size."""
        if self.position < size:
            self.gap(self.position, size)
        signed = self.open(checkpoint) if checkpoint else None
        if signed is not None:
            self.settle(size, signed)
        roots = self.anchored.roots.get(size, set())
        made = {tree.root() for tree in (self.tree, self.other) if tree is not None}
        self.differing |= {(size, root) for root in (roots if self.broken else roots - made)}

    def settle(self, size: int, root: bytes) -> None:
        """Decide, at a signed root, what was wrong since the last one."""
        if not self.broken and self.tree.root() == root:
            for one in self.suspects:
                self.blame_row(one)
        elif not self.broken and self.other is not None and self.other.root() == root:
            for one in self.suspects:
                self.find_suspect(one, "Its leaf was changed; the entry itself is as it was sealed.", "leaf_changed")
            self.tree = self.other
        elif not self.recover(size, root):
            self.broken = True
            return
        self.good, self.suspects, self.other, self.broken = size, [], None, False

    def recover(self, size: int, root: bytes) -> bool:
        """Go on from stored nodes that give the signed root; what lies between two good roots was changed."""
        try:
            found = stored_frontier(size)
        except Incomplete:
            return False
        if found.root() != root:
            return False
        self.blame_stretch(size)
        self.tree = found
        return True

    def blame_stretch(self, size: int) -> None:
        for one in self.suspects:
            self.blame_row(one)
        text = (
            f"The leaves of index {self.good} to {size - 1} are not those that were signed: entries among them were "
            "changed, removed, put in or re-ordered together with their leaves."
        )
        self.find(self.entries(self.good, size), text, "stretch_changed", index=self.good)

    def entries(self, first: int, end: int) -> str | None:
        """The entries of a stretch of the log, or its ends, by their ids."""
        held = Leaf.objects.filter(index__gte=first, index__lt=end).order_by("index")
        found = list(held.values_list("kind", "row")[: NAMED + 1])
        ids = [str(rows.row_id(KINDS[kind], row)) if kind in KINDS else row for kind, row in found]
        if len(ids) <= NAMED:
            return ", ".join(ids) or None
        last = held.values_list("kind", "row").last()
        return f"{ids[0]} to {rows.row_id(KINDS[last[0]], last[1]) if last and last[0] in KINDS else '?'}"

    def blame_row(self, one: Suspect) -> None:
        if one.gone:
            self.find_suspect(one, "It was removed, or can no longer be read.", "removed")
        else:
            self.find_suspect(one, "It was changed after it was sealed.", "changed")

    def find_suspect(self, one: Suspect, text: str, code: str) -> None:
        entry = rows.row_id(KINDS[one.kind], one.row) if one.kind in KINDS else one.row
        self.find(entry, text, code, one.kind, one.index)

    def open(self, checkpoint: Checkpoint) -> bytes | None:
        """The root that a checkpoint's note vouches for; None, and a finding, when it does not."""
        try:
            said = open_note(checkpoint.note, self.known)
        except BadNote as error:
            self.find(
                None, f"The checkpoint of {checkpoint.size} entries cannot be trusted: {error}.", "bad_checkpoint"
            )
            return None
        self.origin = self.origin or said.origin
        if (said.origin, said.size, said.root) != (self.origin, checkpoint.size, bytes(checkpoint.root)):
            text = f"The checkpoint of {checkpoint.size} entries says something else than its signed note."
            self.find(None, text, "bad_checkpoint")
        return said.root if said.size == checkpoint.size else None

    def finish(self) -> None:
        """What is left at the end: leaves that no checkpoint covers."""
        if self.position == self.good and not self.suspects and not self.broken:
            return
        if self.good < self.end:
            self.blame_end()

    def blame_end(self) -> None:
        for one in self.suspects:
            self.blame_row(one)
        text = f"No trusted checkpoint covers the leaves from index {self.good} on as they are now."
        self.find(self.entries(self.good, self.end), text, "not_covered", index=self.good)

    def find(self, entry: Any, problem: str, code: str, kind: str | None = None, index: int | None = None) -> None:
        self.findings.add(Problem(entry, problem, code, kind, index))


def moment(text: str) -> datetime:
    """An instant as leaves write it; the beginning of time for what is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
