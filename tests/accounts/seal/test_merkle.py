"""The tree against a naive reading of RFC 9162, and against the known vectors of Certificate Transparency."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.seal.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    frontier_of,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    range_root,
)

# The inputs and roots that the reference implementations of Certificate Transparency test with.
VECTORS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Path of leaf 0 of 8, and from 1 to 8: they are the same three nodes.
PATH_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


class Tree:
    """All subtrees of some leaves, at hand."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def __call__(self, level: int, index: int) -> bytes:
        return naive_root(self.leaves[index << level : index + 1 << level])


def grown(leaves: list[bytes]) -> Frontier:
    tree = Frontier()
    tree.extend(leaf_hash(leaf) for leaf in leaves)
    return tree


LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def test_the_known_roots_come_out() -> None:
    for size, root in enumerate(ROOTS, start=1):
        assert grown(VECTORS[:size]).root().hex() == root
    assert Frontier().root() == EMPTY_ROOT


def test_the_known_paths_come_out() -> None:
    assert [one.hex() for one in inclusion_path(0, 8, Tree(VECTORS))] == PATH_0_OF_8
    assert [one.hex() for one in consistency_path(1, 8, Tree(VECTORS))] == PATH_0_OF_8


@given(LEAVES)
def test_growing_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    assert grown(leaves).root() == naive_root(leaves)
    assert range_root(0, len(leaves), Tree(leaves)) == naive_root(leaves)
    assert frontier_of(len(leaves), Tree(leaves)).peaks == grown(leaves).peaks


@given(LEAVES, st.data())
def test_paths_are_those_of_the_definition_and_prove(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_path(index, len(leaves), Tree(leaves))
    assert path == naive_path(index, leaves)
    assert is_included(leaf_hash(leaves[index]), index, len(leaves), path, naive_root(leaves))


@given(LEAVES, st.data())
def test_a_path_proves_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root, size = inclusion_path(index, len(leaves), Tree(leaves)), naive_root(leaves), len(leaves)
    assert not is_included(leaf_hash(leaves[index] + b"x"), index, size, path, root)
    assert not is_included(leaf_hash(leaves[index]), index, size, [*path, root], root)
    assert not is_included(leaf_hash(leaves[index]), size, size, path, root)
    for place in range(len(path)):
        spoilt = [*path[:place], bytes(32), *path[place + 1 :]]
        assert not is_included(leaf_hash(leaves[index]), index, size, spoilt, root)
        assert not is_included(leaf_hash(leaves[index]), index, size, path[:place] + path[place + 1 :], root)


@given(LEAVES, st.data())
def test_consistency_is_that_of_the_definition_and_proves(leaves: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(leaves)))
    path = consistency_path(first, len(leaves), Tree(leaves))
    assert path == naive_subproof(first, leaves, True)
    old, new = naive_root(leaves[:first]), naive_root(leaves)
    assert is_consistent(first, len(leaves), path, old, new)
    assert not is_consistent(first, len(leaves), path, bytes(32), new)
    assert not is_consistent(first, len(leaves), path, old, bytes(32))
    assert not is_consistent(first, len(leaves), [*path, bytes(32)], old, new)


@given(LEAVES, st.integers(0, 70))
def test_it_grows_in_parts_as_in_one(leaves: list[bytes], cut: int) -> None:
    tree = grown(leaves[:cut])
    tree.extend(leaf_hash(leaf) for leaf in leaves[cut:])
    assert tree == grown(leaves)


def test_nodes_of_every_eighth_level_are_given_out_once_complete() -> None:
    leaves = [number.to_bytes(2, "big") for number in range(1000)]
    nodes = Frontier().extend(leaf_hash(leaf) for leaf in leaves)
    assert [(level, index) for level, index, _hash in nodes] == [(8, 0), (8, 1), (8, 2)]
    assert nodes[1][2] == naive_root(leaves[256:512])


@pytest.mark.parametrize("index,size", [(-1, 5), (5, 5), (0, 0)])
def test_no_path_leads_to_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError):
        inclusion_path(index, size, Tree([b""] * 5))
