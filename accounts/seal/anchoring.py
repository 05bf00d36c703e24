"""Leaving checkpoints at the anchors: at least once each, outside of transactions, at most every minute."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from accounts import audit
from accounts.anchors.configured import anchors
from accounts.anchors.interface import Anchor, AnchorFailed, Mark
from accounts.models import Lease
from accounts.models.seal import Anchoring, Checkpoint
from accounts.seal.store import last_checkpoint

logger = structlog.get_logger(__name__)
EVERY = timedelta(minutes=1)
# After a failure it is tried again after one minute, two, four, and so on up to this.
LONGEST_WAIT = timedelta(hours=1)


def anchor_when_due(*, now: datetime) -> None:
    """The tick's part."""
    if Lease.objects.take("anchor-due", holder=str(now), now=now, lasts=EVERY):
        anchor_last(now=now)


def anchor_last(*, now: datetime) -> None:
    """Leave the newest checkpoint at each anchor that does not have it yet and is not in a pause after a failure."""
    checkpoint = last_checkpoint()
    if checkpoint is None:
        return
    for one in anchors():
        if wants(one, checkpoint, now):
            leave(one, checkpoint, now)


def wants(anchor: Anchor, checkpoint: Checkpoint, now: datetime) -> bool:
    tries = list(Anchoring.objects.filter(anchor=anchor.name).order_by("-id").select_related("checkpoint")[:8])
    if not tries:
        return True
    if tries[0].ok:
        return tries[0].checkpoint.size != checkpoint.size
    failures = next((place for place, one in enumerate(tries) if one.ok), len(tries))
    pause: timedelta = min(EVERY * 2 ** (failures - 1), LONGEST_WAIT)
    return now - tries[0].at >= pause


def leave(anchor: Anchor, checkpoint: Checkpoint, now: datetime) -> None:
    """One try, and its row; the first failure after a success, and the first success after one, leave an entry."""
    try:
        result, ok = anchor.put(Mark(checkpoint.size, bytes(checkpoint.root), checkpoint.note)), True
    except AnchorFailed as error:
        result, ok = str(error), False
        logger.error("anchor_failed", anchor=anchor.name, why=result)
    before = Anchoring.objects.filter(anchor=anchor.name).order_by("-id").first()
    with transaction.atomic():
        Anchoring.objects.create(checkpoint=checkpoint, anchor=anchor.name, at=now, ok=ok, result=result[:500])
        if ok != (before.ok if before else True):
            audit.record(
                "seal.anchor_back" if ok else "seal.anchor_failed",
                actor=None,
                on=checkpoint,
                anchor=anchor.name,
                why=result,
            )
