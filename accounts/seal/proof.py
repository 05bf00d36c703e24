"""Inclusion proofs: that one row is in the log, for somebody who has the checkpoint and the public key, and not us."""

import base64
from dataclasses import dataclass
from typing import Any

from django.db import models

from accounts.models.seal import Checkpoint, Leaf
from accounts.seal import rows
from accounts.seal.kinds import KINDS
from accounts.seal.merkle import inclusion_path, is_included, leaf_hash
from accounts.seal.store import Incomplete, StoredTree, last_checkpoint

FORMAT = "secondlook-proof/1"


@dataclass(frozen=True)
class Proof:
    """The bytes of a leaf, its place, the path to the root, and the signed note with that root."""

    leaf: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    note: str

    def as_json(self) -> dict[str, Any]:
        """The file that docs/seal.md tells how to check. The leaf is ASCII, so that it is text and bytes alike."""
        return {
            "format": FORMAT,
            "leaf": self.leaf.decode("ascii"),
            "index": self.index,
            "size": self.size,
            "path": [base64.b64encode(one).decode() for one in self.path],
            "checkpoint": self.note,
        }


def proof_of(
    row: models.Model, *, checkpoint: Checkpoint | None = None, tree: StoredTree | None = None
) -> Proof | None:
    """The proof for a sealed row, against `checkpoint` or the newest one; None when there is none to be had.

    That is: the row is not sealed yet, is of no sealed kind, or is no longer what was sealed. Many proofs in a row go
    faster with one `checkpoint` and one `tree` for all.
    """
    kind = next((kind for kind in KINDS.values() if isinstance(row, kind.table)), None)
    if kind is None:
        return None
    leaf = Leaf.objects.filter(kind=kind.name, row=rows.key_text(row.pk)).first()
    return None if leaf is None else proof_of_leaf(leaf, checkpoint=checkpoint, tree=tree)


def proof_of_leaf(leaf: Leaf, *, checkpoint: Checkpoint | None = None, tree: StoredTree | None = None) -> Proof | None:
    checkpoint = checkpoint or last_checkpoint()
    if checkpoint is None or leaf.index >= checkpoint.size or leaf.kind not in KINDS:
        return None
    told = rows.leaves(KINDS[leaf.kind], leaf.layout, [leaf.row]).get(leaf.row)
    if told is None:
        return None
    try:
        path = inclusion_path(leaf.index, checkpoint.size, (tree or StoredTree()).subtree)
    except Incomplete:
        return None
    # Never a proof that would not hold: the row or the stored tree may have been tampered with.
    if not is_included(leaf_hash(told.data), leaf.index, checkpoint.size, path, bytes(checkpoint.root)):
        return None
    return Proof(told.data, leaf.index, checkpoint.size, tuple(path), checkpoint.note)
