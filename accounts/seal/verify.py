"""`verify_audit`: the log against its rows, its checkpoints and its anchors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.models.seal import Anchoring, Checkpoint, Unsealed
from accounts.seal import keys
from accounts.seal.anchored import configured_files
from accounts.seal.findings import Findings, Problem
from accounts.seal.log_check import LogCheck
from accounts.seal.restores import explained, restores
from accounts.seal.store import last_checkpoint
from accounts.seal.strays import strays


@dataclass(frozen=True)
class Report:
    """What a verification says. `losses` are entries that an anchor knows and a restored backup explains."""

    sealed: int
    unsealed: int
    checkpoint: Checkpoint | None
    findings: Findings
    late: Findings
    losses: list[Problem] = field(default_factory=list)
    accept_restore: bool = False
    anchored_size: int | None = None
    anchors: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        return not self.findings.count and (not self.losses or self.accept_restore)

    @property
    def problems(self) -> list[Problem]:
        return self.findings.kept + ([] if self.accept_restore else self.losses)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "sealed": self.sealed,
            "unsealed": self.unsealed,
            "checkpoint": self.checkpoint.note if self.checkpoint else None,
            "errors": [problem.as_json() for problem in self.problems],
            "error_count": self.findings.count + (0 if self.accept_restore else len(self.losses)),
            "accepted": [problem.as_json() for problem in self.losses] if self.accept_restore else [],
            "late": [problem.as_json() for problem in self.late.kept],
            "anchored_size": self.anchored_size,
            "anchors": list(self.anchors),
        }


def verify(*, anchor_files: Sequence[Path] = (), since: int = 0, accept_restore: bool = False) -> Report:
    """Verify the whole log, or what came after the checkpoint of `since` entries. Reads only.

    `anchor_files` hold signed notes; without any, the files among the configured anchors are taken. Raises OSError
    when one cannot be read.
    """
    sealed, end = extent()
    checkpoint = last_checkpoint() if sealed else None
    origin = checkpoint.note.partition("\n")[0] if checkpoint else None
    known = keys.trusted(origin) if origin else [keys.signer().verifier, *keys.old_keys()]
    check = LogCheck(known=known, end=end, start=since, origin=origin)
    for path in anchor_files or configured_files():
        check.anchored.read(path, origin, known, check.findings)
    check.run()
    for stray in strays():
        check.findings.add(stray)
    losses = compare_anchors(check, sealed)
    return Report(
        sealed=sealed,
        unsealed=Unsealed.objects.count(),
        checkpoint=checkpoint,
        findings=check.findings,
        late=check.late,
        losses=losses,
        accept_restore=accept_restore,
        anchored_size=max((size for size in (check.anchored.last_size, last_anchored()) if size), default=None),
        anchors=check.anchored.files,
    )


def extent() -> tuple[int, int]:
    """The size of the last checkpoint and that of the table of leaves, at one moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT max(size) FROM accounts_checkpoint), 0), "
            'coalesce((SELECT max("index") FROM accounts_leaf), -1) + 1'
        )
        sealed, leaves = cursor.fetchone()
    return sealed, max(sealed, leaves)


def last_anchored() -> int | None:
    """The size of the largest checkpoint that reached an anchor, as the database remembers it."""
    row = Anchoring.objects.filter(ok=True).order_by("-checkpoint__size").values_list("checkpoint__size").first()
    return row[0] if row else None


def compare_anchors(check: LogCheck, sealed: int) -> list[Problem]:
    """What anchors know better: into the findings, or into the returned losses when a restore explains it."""
    ahead = {(size, root) for size, roots in check.anchored.roots.items() if size > sealed for root in roots}
    wrong = check.differing | ahead
    if not wrong:
        return []
    found = restores()
    lost = explained(check.anchored.note_files, wrong, found)
    for problem in unexplained(sorted({size for size, _root in wrong - lost}), check, sealed):
        check.findings.add(problem)
    if not lost:
        return []
    most, least = max(size for size, _root in lost), min(one.sealed for one in found)
    text = (
        f"An anchor knows a log of {most} entries that is not this one. A backup was restored when {least} entries "
        f"were sealed: up to {most - least} entries from before are lost."
    )
    return [Problem(None, text, "lost_by_restore", index=least)]


def unexplained(sizes: Sequence[int], check: LogCheck, sealed: int) -> list[Problem]:
    """One finding for a tail that is gone, and one for a log that is another than the anchors saw."""
    found = []
    cut = [size for size in sizes if size > sealed]
    other = [size for size in sizes if size <= sealed]
    if cut:
        text = f"The tail was cut: an anchor knows {max(cut)} entries, the log holds {sealed}."
        found.append(Problem(f"{sealed} to {max(cut) - 1}", text, "tail_cut", index=sealed))
    if other:
        agreed = max((size for size in check.anchored.roots if size < other[0]), default=0)
        text = (
            f"The log was rewritten and signed again: an anchor saw another one of {other[0]} entries. What differs "
            f"lies from index {agreed} to {other[0] - 1}."
        )
        found.append(Problem(check.entries(agreed, other[0]), text, "rewritten", index=agreed))
    return found
