"""Where many entries stand in the sealed log, and their proofs, in few questions (one: `accounts.seal.proof_of`)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import AuditEntry, Checkpoint, Leaf
from accounts.seal.kinds import AUDIT_ENTRY
from accounts.seal.merkle import inclusion_path, is_included, leaf_hash
from accounts.seal.rows import leaves
from accounts.seal.store import Incomplete, StoredTree, last_checkpoint


@dataclass
class Prover:
    """Proofs against one checkpoint, the newest when this was made; keeps the tree that the next proof needs too."""

    checkpoint: Checkpoint | None = field(default_factory=last_checkpoint)
    tree: StoredTree = field(default_factory=StoredTree)

    def places(self, entries: Sequence[AuditEntry]) -> dict[int, Leaf]:
        """The leaves of the sealed ones of `entries`, by the entry's id."""
        if self.checkpoint is None:
            return {}
        rows = Leaf.objects.filter(kind=AUDIT_ENTRY.name, row__in=[str(entry.pk) for entry in entries])
        return {int(leaf.row): leaf for leaf in rows.filter(index__lt=self.checkpoint.size)}

    def proofs(self, found: Sequence[Leaf]) -> dict[int, dict[str, Any]]:
        """Leaf bytes and path of each leaf that holds, by the entry's id; one that was tampered with has none."""
        proved: dict[int, dict[str, Any]] = {}
        for layout in {leaf.layout for leaf in found}:
            of_layout = [leaf for leaf in found if leaf.layout == layout]
            told = leaves(AUDIT_ENTRY, layout, [leaf.row for leaf in of_layout])
            for leaf in of_layout:
                if leaf.row in told and (path := self.path(leaf, told[leaf.row].data)) is not None:
                    data = told[leaf.row].data.decode("ascii")
                    proved[int(leaf.row)] = {"leaf": data, "path": [base64.b64encode(one).decode() for one in path]}
        return proved

    def path(self, leaf: Leaf, data: bytes) -> list[bytes] | None:
        assert self.checkpoint is not None
        size, root = self.checkpoint.size, bytes(self.checkpoint.root)
        try:
            path = inclusion_path(leaf.index, size, self.tree.subtree)
        except Incomplete:
            return None
        return path if is_included(leaf_hash(data), leaf.index, size, path, root) else None

    @property
    def note(self) -> str:
        return self.checkpoint.note if self.checkpoint else ""
