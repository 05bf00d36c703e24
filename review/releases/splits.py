"""Which split a picture goes to: near-duplicates never straddle, and what was in a split stays there. Pure functions.

Two pictures are near-duplicates when they have the same bytes (one digest is one picture here) or when one camera saw
both within `gap_s` seconds. A group is a chain of near-duplicates.
"""

import hmac
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .contents import SPLITS


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a camera saw a picture at an instant (seconds since the epoch)."""

    camera: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a picture (or its group) is."""

    split: str
    group: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """The split of every picture by digest, and the pictures that had to stay out."""

    pins: dict[str, Pin]
    bridges: list[str]


@dataclass(slots=True)
class Timeline:
    """What one camera saw, in order of time, each instant with its owner."""

    instants: list[tuple[float, str]] = field(default_factory=list)

    def add(self, at_s: float, owner: str) -> None:
        insort(self.instants, (at_s, owner))

    def near(self, at_s: float, gap_s: float) -> Iterable[str]:
        """The owners of the nearest instant before and after `at_s` that are at most `gap_s` away."""
        place = bisect_left(self.instants, (at_s, ""))
        for neighbour in self.instants[max(place - 1, 0) : place + 1]:
            if abs(neighbour[0] - at_s) <= gap_s:
                yield neighbour[1]


@dataclass(slots=True)
class Groups:
    """Union-find over digests (Tarjan 1975, with path halving); the root is the group's smallest digest."""

    parent: dict[str, str] = field(default_factory=dict)

    def find(self, digest: str) -> str:
        parent = self.parent
        while parent[digest] != digest:
            parent[digest] = parent[parent[digest]]
            digest = parent[digest]
        return digest

    def join(self, digests: Iterable[str]) -> str:
        roots = {self.find(digest) for digest in digests}
        smallest = min(roots)
        for root in roots:
            self.parent[root] = smallest
        return smallest


def assign(
    pictures: Mapping[str, Sequence[Sighting]],
    pinned: Mapping[str, Pin],
    pinned_sightings: Iterable[tuple[str, Sighting]],
    *,
    seed: str,
    gap_s: float,
    shares: Mapping[str, float],
) -> Assignment:
    """Place `pictures` (by digest) so that no two of different splits are near-duplicates.

    Pictures in `pinned` keep their place. A new one joins the group of its neighbours; when its neighbours are in
    different splits it is left out. A group without a place gets one by a keyed hash of its identity, so the result
    depends neither on the order of the pictures nor on chance. When nothing would be in the training split, the largest
    new group goes there.

    The nearest neighbour on each side is enough: whatever else lies within `gap_s` on that side lies within `gap_s` of
    that neighbour too and is in its group already. Pinned pictures are looked up per split, because earlier releases
    may have had another gap.
    """
    lines: defaultdict[tuple[str, str], Timeline] = defaultdict(Timeline)
    here = ((digest, seen) for digest in pictures if digest in pinned for seen in pictures[digest])
    for digest, seen in (*pinned_sightings, *here):
        lines[seen.camera, pinned[digest].split].add(seen.at_s, pinned[digest].group)
    placer = _Placer(lines, gap_s)
    new = [digest for digest in pictures if digest not in pinned]
    for digest in sorted(new, key=lambda digest: (min(seen.at_s for seen in pictures[digest]), digest)):
        placer.place(digest, pictures[digest])
    pins = {digest: pinned[digest] for digest in pictures if digest in pinned}
    pins |= placer.resolve(seed, shares, has_train=any(pin.split == SPLITS[0] for pin in pins.values()))
    return Assignment(pins, placer.bridges)


@dataclass(slots=True)
class _Placer:
    pinned: Mapping[tuple[str, str], Timeline]
    gap_s: float
    bridges: list[str] = field(default_factory=list)
    groups: Groups = field(default_factory=Groups)
    lines: defaultdict[str, Timeline] = field(default_factory=lambda: defaultdict(Timeline))
    # Root of a new group -> the place that it inherited from pinned neighbours.
    fixed: dict[str, Pin] = field(default_factory=dict)

    def place(self, digest: str, sightings: Sequence[Sighting]) -> None:
        roots = {
            self.groups.find(owner)
            for seen in sightings
            for owner in self.lines[seen.camera].near(seen.at_s, self.gap_s)
        }
        pins = {self.fixed[root] for root in roots if root in self.fixed} | set(self._pinned_near(sightings))
        if len({pin.split for pin in pins}) > 1:
            self.bridges.append(digest)
            return
        self.groups.parent[digest] = digest
        root = self.groups.join({digest, *roots})
        for old in roots:
            self.fixed.pop(old, None)
        if pins:
            self.fixed[root] = min(pins, key=lambda pin: pin.group)
        for seen in sightings:
            self.lines[seen.camera].add(seen.at_s, digest)

    def _pinned_near(self, sightings: Iterable[Sighting]) -> Iterable[Pin]:
        for seen in sightings:
            for split in SPLITS:
                line = self.pinned.get((seen.camera, split))
                if line is not None:
                    yield from (Pin(split, group) for group in line.near(seen.at_s, self.gap_s))

    def resolve(self, seed: str, shares: Mapping[str, float], *, has_train: bool) -> dict[str, Pin]:
        roots = {digest: self.groups.find(digest) for digest in self.groups.parent}
        sizes = Counter(roots.values())
        free = [root for root in sizes if root not in self.fixed]
        chosen = self.fixed | {root: Pin(draw(root, seed=seed, shares=shares), root) for root in free}
        if free and not has_train and all(pin.split != SPLITS[0] for pin in chosen.values()):
            largest = min(free, key=lambda root: (-sizes[root], root))
            chosen[largest] = Pin(SPLITS[0], largest)
        return {digest: chosen[root] for digest, root in roots.items()}


def draw(group: str, *, seed: str, shares: Mapping[str, float]) -> str:
    """The split of a new group: HMAC-SHA256 of its identity as a number from 0 to 1, held against the shares."""
    number = int.from_bytes(hmac.digest(seed.encode(), group.encode(), "sha256")[:8]) / 2**64
    for split in SPLITS[:-1]:
        if number < shares[split]:
            return split
        number -= shares[split]
    return SPLITS[-1]
