"""Leaving checkpoints at the anchors: at least once each, outside of transactions, at most every minute."""

from concurrent.futures import Future
from datetime import datetime, timedelta
from threading import Thread
from traceback import extract_tb

import structlog
from django.db import transaction

from accounts import audit
from accounts.anchors.configured import anchors
from accounts.anchors.interface import Anchor, AnchorFailed, Mark
from accounts.models import Lease
from accounts.models.seal import Anchoring, Checkpoint
from accounts.seal.store import last_checkpoint

# Longest that one try may take in all; the time-outs of the anchors' own calls start anew with each byte.
PATIENCE_S = 3.0
logger = structlog.get_logger(__name__)
EVERY = timedelta(minutes=1)
# After a failure it is tried again after one minute, two, four, and so on up to this.
LONGEST_WAIT = timedelta(hours=1)
hanging: dict[str, Thread] = {}


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
        result, ok = put_in_time(anchor, Mark(checkpoint.size, bytes(checkpoint.root), checkpoint.note)), True
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


def put_in_time(anchor: Anchor, mark: Mark) -> str:
    """`anchor.put` in a thread of its own: a mount or a host that hangs holds up the periodic work no longer.

    Such a thread is left behind, and nothing more is tried at its anchor while it lives. Raises AnchorFailed.
    """
    before = hanging.get(anchor.name)
    if before is not None and before.is_alive():
        raise AnchorFailed("An earlier try still hangs.")
    result: Future[str] = Future()
    thread = Thread(target=put, args=(anchor, mark, result), name="anchor", daemon=True)
    thread.start()
    try:
        return result.result(timeout=PATIENCE_S)
    except TimeoutError:
        hanging[anchor.name] = thread
        raise AnchorFailed(f"It did not take the note within {PATIENCE_S:g} seconds.") from None


def put(anchor: Anchor, mark: Mark, result: "Future[str]") -> None:
    """One anchor's fault is a failed try of that anchor, whatever it is: the others still have their turn."""
    try:
        result.set_result(anchor.put(mark))
    except AnchorFailed as error:
        result.set_exception(error)
    except Exception as error:  # noqa: BLE001 - kept, logged and told of like any other failure
        # By its type and place only: its text may hold an address with a password.
        place = extract_tb(error.__traceback__)[-1]
        logger.error("anchor_broken", anchor=anchor.name, error=type(error).__name__, at=f"{place.name}:{place.lineno}")
        result.set_exception(AnchorFailed(f"It failed: {type(error).__name__}."))
