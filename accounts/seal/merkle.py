"""The Merkle tree of RFC 9162, section 2.1, over SHA-256: it grows at its right edge and proves what it holds.

A node is named by (level, index): the root of the perfect subtree over leaves `index * 2**level` and following,
`2**level` of them. Level 0 holds leaf hashes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
# Of the inner nodes only those of every eighth level are stored: 256 below each, 0.4 % more rows.
STRIDE = 8

Subtree = Callable[[int, int], bytes]
Node = tuple[int, int, bytes]


def leaf_hash(data: bytes) -> bytes:
    """HASH(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """HASH(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """What is needed of a tree to let it grow: the roots of its largest perfect subtrees, largest first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def extend(self, leaves: Iterable[bytes]) -> list[Node]:
        """Add leaf hashes at the right; the stored nodes (of every eighth level) that became complete."""
        complete: list[Node] = []
        for node in leaves:
            level, rest = 0, self.size
            while rest & 1:
                node = sha256(b"\x01" + self.peaks.pop() + node).digest()
                rest >>= 1
                level += 1
                if level % STRIDE == 0:
                    complete.append((level, rest, node))
            self.peaks.append(node)
            self.size += 1
        return complete

    def root(self) -> bytes:
        """MTH of all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found

    def copy(self) -> "Frontier":
        return Frontier(self.size, list(self.peaks))


def frontier_of(size: int, subtree: Subtree) -> Frontier:
    """The frontier of the first `size` leaves, from stored subtrees."""
    peaks, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(subtree(level, start >> level))
            start += 1 << level
    return Frontier(size, peaks)


def split(size: int) -> int:
    """The largest power of two smaller than `size`, which is 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def range_root(low: int, high: int, subtree: Subtree) -> bytes:
    """MTH of the leaves `low..high-1`, for ranges as the recursion of the RFC makes them."""
    size = high - low
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, low >> level)
    middle = low + split(size)
    return node_hash(range_root(low, middle, subtree), range_root(middle, high, subtree))


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """PATH(index, D[size]) of section 2.1.3.1, from the leaf upwards. Raises ValueError for an index outside."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            path.append(range_root(middle, high, subtree))
            high = middle
        else:
            path.append(range_root(low, middle, subtree))
            low = middle
    return path[::-1]


def consistency_path(first: int, second: int, subtree: Subtree) -> list[bytes]:
    """PROOF(first, D[second]) of section 2.1.4.1. Raises ValueError unless 0 < first <= second."""
    if not 0 < first <= second:
        raise ValueError(f"no consistency between trees of {first} and {second}")
    path: list[bytes] = []
    low, high, whole = 0, second, True
    while first != high:
        middle = low + split(high - low)
        if first <= middle:
            path.append(range_root(middle, high, subtree))
            high = middle
        else:
            path.append(range_root(low, middle, subtree))
            low, whole = middle, False
    if not whole:
        path.append(range_root(low, high, subtree))
    return path[::-1]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (section 2.1.3.2); None when its length cannot be right."""
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves that the leaf is at `index` of the tree with this size and root."""
    return root_from_path(leaf, index, size, path) == root


def is_consistent(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether `path` proves that the second tree begins with the first (section 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    steps = list(path) if first & (first - 1) else [first_root, *path]
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
