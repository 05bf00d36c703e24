"""The tree as it is stored: subtrees from the tables of leaves and nodes."""

from collections import OrderedDict
from collections.abc import Iterable

from accounts.models.seal import Checkpoint, Leaf, LeafNode
from accounts.seal.merkle import STRIDE, Frontier, Node, frontier_of, node_hash

TILE = 1 << STRIDE
TILES_KEPT = 64


class Incomplete(LookupError):
    """Leaves or nodes of the log are missing."""


class StoredTree:
    """Subtrees of the log, read in tiles of 256 hashes, of which it keeps some."""

    def __init__(self) -> None:
        self.tiles: OrderedDict[tuple[int, int], dict[int, bytes]] = OrderedDict()

    def subtree(self, level: int, index: int) -> bytes:
        """The root of one perfect subtree. Raises Incomplete."""
        stored = level // STRIDE * STRIDE
        first, count = index << (level - stored), 1 << (level - stored)
        tile = self.tile(stored, first >> STRIDE)
        try:
            hashes = [tile[place] for place in range(first, first + count)]
        except KeyError as missing:
            raise Incomplete(f"the hash {missing} of level {stored} is missing") from None
        while len(hashes) > 1:
            hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    def tile(self, level: int, number: int) -> dict[int, bytes]:
        """The hashes of one tile by their index; at the right edge fewer than 256."""
        key = (level, number)
        if key not in self.tiles:
            self.tiles[key] = read_tile(level, number << STRIDE)
            if len(self.tiles) > TILES_KEPT:
                self.tiles.popitem(last=False)
        self.tiles.move_to_end(key)
        return self.tiles[key]


def read_tile(level: int, first: int) -> dict[int, bytes]:
    if level == 0:
        rows = Leaf.objects.filter(index__gte=first, index__lt=first + TILE)
    else:
        rows = LeafNode.objects.filter(level=level, index__gte=first, index__lt=first + TILE)  # type: ignore[assignment]
    return {index: bytes(found) for index, found in rows.values_list("index", "hash")}


def stored_frontier(size: int) -> Frontier:
    """The frontier of the first `size` leaves. Raises Incomplete."""
    return frontier_of(size, StoredTree().subtree)


def node_rows(nodes: Iterable[Node]) -> list[LeafNode]:
    """New rows that keep these nodes, not written yet."""
    return [LeafNode(level=level, index=index, hash=found) for level, index, found in nodes]


def last_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()
