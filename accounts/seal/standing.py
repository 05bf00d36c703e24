"""The state of the seal, for the audit page and the start of the server."""

from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from accounts.anchors.configured import anchors
from accounts.anchors.interface import Anchor
from accounts.models.seal import Anchoring, Checkpoint, Unsealed, Verification
from accounts.seal.kinds import KINDS
from accounts.seal.rows import row_id
from accounts.seal.store import last_checkpoint

NAMED = 10


@dataclass(frozen=True)
class AnchorState:
    """One configured anchor: what it holds, and what is wrong with it (empty: nothing)."""

    name: str
    size: int | None
    at: datetime | None
    problem: str


@dataclass(frozen=True)
class SealState:
    """`problems` are sentences for people; without any, the seal is as it should be."""

    sealed: int
    unsealed: int
    checkpoint: Checkpoint | None
    verification: Verification | None
    anchors: list[AnchorState]
    problems: list[str]
    # Rows that wait and cannot be read, as kind and id: the first ten.
    unreadable: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def anchored_size(self) -> int | None:
        """How much of the log an anchor vouches for."""
        return max((one.size for one in self.anchors if one.size is not None), default=None)


def state() -> SealState:
    """The state as the database tells it; nothing is verified here."""
    checkpoint = last_checkpoint()
    verification = Verification.objects.filter(finished_at__isnull=False).order_by("-id").first()
    held, problems = anchor_states()
    if verification is not None and not verification.ok:
        problems.insert(
            0,
            _("The last verification found %(count)s problems. Run manage.py verify_audit.")
            % {"count": len(verification.findings)},
        )
    unreadable = unreadable_rows()
    if unreadable:
        problems.insert(
            0,
            _("These rows cannot be read, so they are not sealed: %(rows)s. The disk may be failing: restore a backup.")
            % {"rows": ", ".join(unreadable)},
        )
    return SealState(
        sealed=checkpoint.size if checkpoint else 0,
        unsealed=Unsealed.objects.count(),
        checkpoint=checkpoint,
        verification=verification,
        anchors=held,
        problems=problems,
        unreadable=unreadable,
    )


def unreadable_rows() -> list[str]:
    found = Unsealed.objects.filter(unreadable_at__isnull=False).order_by("id")
    return [
        f"{kind} {row_id(KINDS[kind], row) if kind in KINDS else row}"
        for kind, row in found.values_list("kind", "row")[:NAMED]
    ]


def anchor_states() -> tuple[list[AnchorState], list[str]]:
    """Each anchor, and the sentences about what is wrong with them."""
    try:
        found = anchors()
    except ImproperlyConfigured as error:
        return [], [str(error)]
    if not found:
        return [], [_("There is no anchor: set SECONDLOOK_AUDIT_ANCHORS.")]
    states = [anchor_state(one) for one in found]
    problems = [f"{one.name}: {one.problem}" for one in states if one.problem]
    if all(one.beside_data for one in found):
        problems.append(beside_data())
    return states, problems


def beside_data() -> str:
    return _(
        "The only anchor lies beside the data: it proves nothing against somebody who holds this machine. Name a place "
        "outside in SECONDLOOK_AUDIT_ANCHORS (docs/seal.md)."
    )


def anchor_state(anchor: Anchor) -> AnchorState:
    tries = Anchoring.objects.filter(anchor=anchor.name).order_by("-id").select_related("checkpoint")
    last, good = tries.first(), tries.filter(ok=True).first()
    return AnchorState(
        name=anchor.name,
        size=good.checkpoint.size if good else None,
        at=good.at if good else None,
        problem=last.result if last and not last.ok else "",
    )


def start_lines() -> list[str]:
    """What the server says at its start about an anchor that is worth little."""
    try:
        found = anchors()
    except ImproperlyConfigured as error:
        return [str(error)]
    return [beside_data()] if all(one.beside_data for one in found) else []
