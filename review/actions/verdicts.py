"""Verdicts: one person's answer on an item, added once and never changed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from review import broadcast, names
from review.actions import holds
from review.actions.attributes import definitions_of, fitting, require_attributes
from review.actions.leases import expire_others, lease
from review.closed import refused_when_retired
from review.exceptions import AlreadyDecided, ClaimLost, KeyReused, StaleVersion, UndoWindowOver
from review.models import (
    Answer,
    Claim,
    Ended,
    Event,
    Hold,
    Item,
    ItemState,
    Move,
    Outcome,
    Retraction,
    SequencedOutcome,
    Taxonomy,
    TaxonomyClass,
    Verdict,
)
from review.schemas import LabelIn, VerdictIn
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


def labels_of(item: Item, answer: VerdictIn) -> list[dict[str, Any]]:
    """The labels that an answer stands for, written out in full, in pixels of the upright frame.

    Confirm takes the predictions as they are: all of them, or only the subject when the frame is not complete. Labels
    that come with it may add attributes that the model said nothing about.
    Raises Invalid `unknown_class`, `unknown_prediction`, `label_outside_frame`, `labels_do_not_confirm`,
    `index_mismatch`, or what `require_attributes` refuses.
    """
    event = item.event
    if answer.answer == "confirm":
        return confirmed_labels(item, answer)
    labels = with_classes(item, [label_row(event, label) for label in answer.labels])
    require_indexes(answer, [label["index"] for label in labels])
    require_predictions(event, labels)
    require_attributes(labels, definitions_of(item.queue.taxonomy_id, {label["index"] for label in labels}))
    return labels


def confirmed_labels(item: Item, answer: VerdictIn) -> list[dict[str, Any]]:
    event = item.event
    posted = list(event.predictions if answer.complete else event.subject_predictions)
    ours = names.in_our_words(event, posted, item.queue.taxonomy_id)
    said = {(label.prediction, label.class_) for label in answer.labels}
    if said - {(prediction["id"], prediction["class"]) for prediction in [*posted, *ours]}:
        raise Invalid(
            _("These labels are no confirmation of the predictions; send correct."), code="labels_do_not_confirm"
        )
    labels = with_classes(item, [prediction_label(event, prediction) for prediction in ours])
    definitions = definitions_of(item.queue.taxonomy_id, {label["index"] for label in labels})
    added = {label.prediction: dict(label.attributes) for label in answer.labels}
    for label in labels:
        modelled = fitting(definitions.get(label["index"], ()), label["attributes"])
        label["attributes"] = added.get(label["prediction"], {}) | modelled
        if added.get(label["prediction"], {}).items() - label["attributes"].items():
            raise Invalid(
                _("An attribute is another one than the model's; send correct."), code="labels_do_not_confirm"
            )
    require_attributes(labels, definitions)
    indexes = {label["prediction"]: label["index"] for label in labels}
    require_indexes(answer, [indexes[str(label.prediction)] for label in answer.labels])
    return labels


def prediction_label(event: Event, prediction: dict[str, Any]) -> dict[str, Any]:
    """A prediction as a label: same class and geometry, clipped to the frame."""
    label = {
        "class": prediction["class"],
        "attributes": prediction.get("attributes", {}),
        "prediction": prediction["id"],
    }
    if "box" in prediction:
        label["box"] = clip(prediction["box"], event)
    if "polygon" in prediction:
        label["polygon"] = clip_polygon(prediction["polygon"], event)
    return label


def label_row(event: Event, label: LabelIn) -> dict[str, Any]:
    """A label as sent, bounded by the frame."""
    row: dict[str, Any] = {"class": label.class_, "attributes": dict(label.attributes)}
    if label.prediction is not None:
        row["prediction"] = label.prediction
    if label.box is not None:
        row["box"] = clip(label.box, event)
    if label.polygon is not None:
        row["polygon"] = clip_polygon(label.polygon, event)
    if event.task == "detection" and label.box is None:
        raise Invalid(_("A label of a detection needs a box."), code="box_required")
    if event.task == "segmentation" and label.polygon is None and label.box is None:
        raise Invalid(_("A label of a segmentation needs a polygon or a box."), code="polygon_required")
    return row


def clip(box: Any, event: Event) -> list[float]:
    """`[x, y, width, height]` inside the frame. Raises Invalid `label_outside_frame` when nothing is left of it."""
    left, top = max(float(box[0]), 0.0), max(float(box[1]), 0.0)
    right = min(float(box[0]) + float(box[2]), float(event.frame_width_px))
    bottom = min(float(box[1]) + float(box[3]), float(event.frame_height_px))
    if right <= left or bottom <= top:
        raise Invalid(_("A box lies outside the picture."), code="label_outside_frame")
    # A thousandth of a pixel at least, so that rounding never makes a box of nothing.
    return [round(left, 3), round(top, 3), max(round(right - left, 3), 0.001), max(round(bottom - top, 3), 0.001)]


def clip_polygon(polygon: Any, event: Event) -> list[list[float]]:
    """`[[x, y], ...]` with every corner inside the frame. Raises Invalid `label_outside_frame` when no area is left."""
    width, height = float(event.frame_width_px), float(event.frame_height_px)
    inside = [[min(max(float(x), 0.0), width), min(max(float(y), 0.0), height)] for x, y in polygon]
    if any(len({corner[side] for corner in inside}) == 1 for side in (0, 1)):
        raise Invalid(_("A polygon lies outside the picture."), code="label_outside_frame")
    return inside


def with_classes(item: Item, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Labels with the name that their class has today, and its permanent index; a former name is understood.

    Raises Invalid `unknown_class` for what is no class of the queue, or is retired.
    """
    if not labels:
        return labels
    known = classes_named(item.queue.taxonomy_id, {label["class"] for label in labels})
    if missing := sorted({label["class"] for label in labels} - known.keys()):
        raise Invalid(
            _("%(name)s is no class of this queue; choose one of its classes.") % {"name": missing[0]},
            code="unknown_class",
            classes=missing,
        )
    return [label | dict(zip(("class", "index"), known[label["class"]], strict=True)) for label in labels]


def classes_named(taxonomy_id: UUID, wanted: set[str]) -> dict[str, tuple[str, int]]:
    """Today's name and the index of the live classes that have or had one of these names."""
    rows = TaxonomyClass.objects.filter(taxonomy_id=taxonomy_id, retired_at=None)
    rows = rows.filter(Q(name__in=wanted) | Q(former_names__name__in=wanted))
    known: dict[str, tuple[str, int]] = {}
    for name, index, former in rows.values_list("name", "index", "former_names__name"):
        known[name] = (name, index)
        if former is not None:
            known[former] = (name, index)
    return known


def require_indexes(answer: VerdictIn, indexes: list[int]) -> None:
    """Raise Invalid `index_mismatch` for labels whose index is not the one that their class has, `indexes` in order.

    Somebody meant another class than the one that he names: of the two, neither can be trusted.
    """
    pairs = zip(answer.labels, indexes, strict=True)
    wrong = [place for place, (label, index) in enumerate(pairs) if label.index not in {None, index}]
    if wrong:
        told = str(_("This is not the index of the class that the label names."))
        errors = [{"path": f"$.labels[{place}].index", "message": told} for place in wrong[:20]]
        raise Invalid(told, code="index_mismatch", errors=errors)


def require_predictions(event: Event, labels: list[dict[str, Any]]) -> None:
    known = {prediction["id"] for prediction in event.predictions}
    named = [label["prediction"] for label in labels if "prediction" in label]
    if set(named) - known or len(set(named)) != len(named):
        raise Invalid(_("A label names no prediction of this event, or one twice."), code="unknown_prediction")


def story(item: Item, claim: Claim, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """What the audit trail keeps of a verdict: both answers side by side, and what was in force."""
    event = item.event
    return {
        "verdict": str(verdict.pk),
        "event": str(event.pk),
        "event_digest": event.digest,
        "item_version": verdict.item_version,
        "answer": verdict.answer,
        "meaning": "review",
        "complete": verdict.complete,
        "predicted": [[p["class"], p["confidence"]] for p in event.subject_predictions][:20],
        "labelled": [label["class"] for label in verdict.labels][:50],
        "content_sha256": digest({"labels": verdict.labels, "predictions": event.predictions}),
        "agrees": verdict.answer == Answer.CONFIRM,
        "note": bool(verdict.note),
        "seconds": verdict.seconds,
        "since_opened_s": round((now - claim.opened_at).total_seconds(), 1) if claim.opened_at else None,
        "key": str(verdict.key),
        "claim": str(claim.pk),
        "claimed_at": claim.created_at.isoformat(),
        "claim_until": claim.expires_at.isoformat(),
        "supersedes": superseded(item, verdict),
        "blind": False,
    } | in_force(item)


def in_force(item: Item) -> dict[str, Any]:
    """The versions that a verdict stands on: model, thresholds, policy and rule, taxonomy and guide."""
    event, reason = item.event, item.reason
    return {
        "model": f"{event.model_name} {event.model_version_name}".strip(),
        "model_sha256": event.model_sha256,
        "thresholds": event.thresholds,
        "policy_version": reason.get("policy_version"),
        "rule": reason.get("rule"),
        "taxonomy": taxonomy_state(item.queue.taxonomy),
        "guide_version": item.queue.guide_version,
        "guide_sha256": hashlib.sha256(item.queue.guide.encode()).hexdigest(),
    }


def taxonomy_state(taxonomy: Taxonomy) -> dict[str, Any]:
    """What tells two states of a taxonomy apart: how many classes there are, how many retired, their digest."""
    rows = list(taxonomy.classes.order_by("index").values_list("index", "name", "retired_at"))
    said = digest([[index, name, retired is not None] for index, name, retired in rows])
    return {
        "id": str(taxonomy.pk),
        "version": taxonomy.version,
        "classes": len(rows),
        "retired": sum(retired is not None for _index, _name, retired in rows),
        "sha256": said,
    }


def superseded(item: Item, verdict: Verdict) -> str | None:
    """The last verdict on the item that was taken back, which this one replaces."""
    if verdict.item_version == 1:
        return None
    rows = Verdict.objects.filter(item=item, retraction__isnull=False).exclude(pk=verdict.pk)
    last = rows.order_by("-created_at").values_list("pk", flat=True).first()
    return str(last) if last else None


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
