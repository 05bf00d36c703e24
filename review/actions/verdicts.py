"""Verdicts: one person's answer on an item, added once and never changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict
from accounts.models import User
from review import broadcast
from review.actions import holds
from review.actions.circumstances import story
from review.actions.labels import labels_of
from review.actions.leases import expire_others, lease
from review.closed import refused_when_retired
from review.exceptions import AlreadyDecided, ClaimLost, KeyReused, StaleVersion, UndoWindowOver
from review.models import (
    Answer,
    Claim,
    Ended,
    Hold,
    Item,
    ItemState,
    Move,
    Outcome,
    Retraction,
    SequencedOutcome,
    Verdict,
)
from review.schemas import VerdictIn
from review.strict_json import digest

OUTCOMES = {
    Answer.CONFIRM: Outcome.CONFIRMED,
    Answer.CORRECT: Outcome.CORRECTED,
    Answer.EMPTY: Outcome.EMPTY,
    Answer.UNSURE: Outcome.UNSURE,
    Answer.BAD_IMAGE: Outcome.BAD_IMAGE,
}


@dataclass(frozen=True, slots=True)
class Given:
    """A verdict, and whether this call gave it (False: the same submit again)."""

    verdict: Verdict
    created: bool


def give_verdict(*, item: Item, person: User, answer: VerdictIn, now: datetime) -> Given:
    """Record `person`'s answer on `item`, effectively once by `answer.key`; committed when this returns.

    The claim must be the person's; a late answer counts as long as nobody else took the item over.
    Raises ClaimLost, StaleVersion, AlreadyDecided or KeyReused (409), Invalid (422) for labels that cannot be, and
    `reason_required`.
    """
    fingerprint = fingerprint_of(answer)
    if first := Verdict.objects.filter(person=person, key=answer.key).first():
        return replay(first, item, fingerprint)
    claim = Claim.objects.filter(item=item, holder=person, token=answer.claim_token).first()
    if claim is None:
        raise ClaimLost
    claim.holder = person
    if answer.answer in Move.values:
        item.queue.require_reason(Move(answer.answer), answer.note or "", field="note")
    labels = labels_of(item, answer)
    try:
        with transaction.atomic():
            return Given(write(item, claim, answer, labels, fingerprint, now), created=True)
    except (IntegrityError, Conflict):
        # Two submits of one answer at once: the other one has won, and this is its repeat.
        if first := Verdict.objects.filter(person=person, key=answer.key).first():
            return replay(first, item, fingerprint)
        raise


def fingerprint_of(answer: VerdictIn) -> str:
    """The digest that tells a repeat from another answer, by what was said and not by how it was sent."""
    body = answer.model_dump(
        mode="json", by_alias=True, exclude={"claim_token": True, "seconds": True, "labels": {"__all__": {"index"}}}
    )
    return digest(body)


def replay(first: Verdict, item: Item, fingerprint: str) -> Given:
    if first.item_id != item.pk or first.digest != fingerprint:
        raise KeyReused
    return Given(first, created=False)


def write(
    item: Item, claim: Claim, answer: VerdictIn, labels: list[dict[str, Any]], fingerprint: str, now: datetime
) -> Verdict:
    """The one transaction of a verdict: the row, the item's outcome, the claim's end, the audit entry."""
    verdict = Verdict(
        item=item,
        person=claim.holder,
        claim=claim,
        key=answer.key,
        digest=fingerprint,
        item_version=answer.version,
        answer=answer.answer,
        labels=labels,
        complete=answer.complete,
        note=answer.note or "",
        seconds=answer.seconds,
        created_at=now,
        final_at=now + item.queue.undo_window,
    )
    decide(item, claim, verdict, now)
    acts = item.held_until is not None and holds.answer(item=item, verdict_id=verdict.pk, claim=claim, now=now)
    if acts:
        # The machine has moved by now: there is nothing left to take back.
        verdict.final_at = now
    verdict.save(force_insert=True)
    if claim.ended_at is not None:
        # A late answer: whoever took the item in between has let it expire as well.
        expire_others(item, claim.holder, now)
    Claim.objects.filter(pk=claim.pk, ended_at=None).update(ended_at=now, ended=Ended.ANSWERED)
    audit.record(
        "verdict.given",
        actor=claim.holder,
        on=item,
        site_id=item.site_id,
        queue_id=item.queue_id,
        action=audit.Action.CREATE,
        **story(item, claim, verdict, now) | ({"held": "acted" if acts else "late"} if item.held_until else {}),
    )
    broadcast.item_changed(item)
    return verdict


def decide(item: Item, claim: Claim, verdict: Verdict, now: datetime) -> None:
    """Close the item with this outcome: a conditional update that must change exactly one row."""
    rows = Item.objects.open().filter(pk=item.pk, version=verdict.item_version)
    mine = rows.filter(claim_id=claim.pk) | rows.unclaimed(now)
    changed = mine.update(
        state=ItemState.DECIDED,
        outcome=OUTCOMES[Answer(verdict.answer)],
        verdict_id=verdict.pk,
        decided_at=now,
        version=verdict.item_version + 1,
        reserved_for=None,
        reserved_until=None,
        claim_id=None,
        claimed_by=None,
        claim_expires_at=None,
    )
    if not changed:
        raise why_refused(item, claim, verdict.item_version)


def why_refused(item: Item, claim: Claim, version: int) -> ClaimLost | StaleVersion | AlreadyDecided:
    """The reason why an item would not take a verdict, with its current state."""
    fresh = Item.objects.select_related("claimed_by").get(pk=item.pk)
    current = {"state": fresh.state, "version": fresh.version, "outcome": fresh.outcome or None}
    if fresh.state != ItemState.OPEN:
        return AlreadyDecided(current=current | {"labels": deciding_labels(fresh)})
    if fresh.version != version:
        return StaleVersion(current=current)
    return ClaimLost(current=current)


def deciding_labels(item: Item) -> list[dict[str, Any]]:
    verdict = Verdict.objects.filter(pk=item.verdict_id).first() if item.verdict_id else None
    return list(verdict.labels) if verdict else []


def undo(*, verdict: Verdict, now: datetime) -> Claim:
    """Take a verdict back within its undo window; the item comes back to the same person, claimed.

    Raises UndoWindowOver afterwards, and AlreadyDecided when the outcome is no longer this verdict's.
    """
    # A machine that has moved stays moved, whatever the clock of this server says.
    if now >= verdict.final_at or Hold.objects.filter(verdict=verdict).exists():
        raise UndoWindowOver
    item = verdict.item
    claim = Claim(item=item, holder=verdict.person, created_at=now, expires_at=now + lease(ahead=False), opened_at=now)
    try:
        with refused_when_retired(), transaction.atomic():
            reopen(item, verdict, claim)
            if SequencedOutcome.objects.filter(verdict=verdict).exists():
                # The item is ours by now, and the sequencer was faster: the outcome has left.
                raise UndoWindowOver
            Retraction.objects.create(verdict=verdict, person=verdict.person, created_at=now)
            claim.save(force_insert=True)
            audit.record(
                "verdict.undone",
                actor=verdict.person,
                on=item,
                site_id=item.site_id,
                queue_id=item.queue_id,
                verdict=str(verdict.pk),
                answer=verdict.answer,
                claim=str(claim.pk),
                item_version=item.version,
            )
            broadcast.item_changed(item)
    except IntegrityError:
        raise AlreadyDecided(_("This answer was taken back already."), code="already_undone") from None
    return claim


def reopen(item: Item, verdict: Verdict, claim: Claim) -> None:
    """Make a decided item open again and hand it to `claim`; exactly one row must change."""
    decided = Item.objects.filter(pk=item.pk, state=ItemState.DECIDED, verdict_id=verdict.pk)
    version = verdict.item_version + 2
    changed = decided.update(
        state=ItemState.OPEN,
        outcome="",
        verdict_id=None,
        decided_at=None,
        version=version,
        claim_id=claim.pk,
        claimed_by=claim.holder,
        claim_expires_at=claim.expires_at,
    )
    if not changed:
        raise AlreadyDecided
    item.refresh_from_db()
