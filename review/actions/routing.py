"""Putting an event where the live policy sends it."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from accounts.ids import new_id
from accounts.inserts import Inserts
from review import broadcast, known, names
from review.models import Event, Item, Policy, PolicyState, Queue, Routed, Routing, Rule
from review.routing import Facts, Match, RuleSpec, first_match, is_sampled, names_said


def route(*, event: Event, now: datetime) -> Item | None:
    """Route `event` by its site's live policy, inside the caller's transaction; the item, if it is to be looked at."""
    ways = ways_of(event=event, now=now)
    Inserts(ways).write()
    item = next((way for way in ways if isinstance(way, Item)), None)
    if item is not None:
        broadcast.item_changed(item)
    return item


def ways_of(*, event: Event, now: datetime, held_until: datetime | None = None) -> list[Routing | Item]:
    """Where the live policy sends `event`, as new rows: what was decided, and the item if it is to be looked at.

    What is passed over is recorded as well, with the chance that it had. With `held_until` a machine waits until then:
    raises Invalid `hold_not_supported` when the queue answers no machines.
    """
    policy_id = (
        Policy.objects.filter(site_id=event.site_id, state=PolicyState.LIVE).values_list("pk", flat=True).first()
    )
    if policy_id is None:
        return [note(event, None, None, Routed.NO_POLICY, now)]
    rules = rules_of(policy_id)
    match = first_match([rule.spec for rule in rules], facts_of(event))
    if match is None:
        return [note(event, policy_id, None, Routed.UNMATCHED, now)]
    rule = next(rule for rule in rules if rule.spec is match.rule)
    if rule.row.queue_id is None:
        return [note(event, policy_id, rule.row, Routed.PASSED, now)]
    if not sampled(event, match.rule):
        return [note(event, policy_id, rule.row, Routed.NOT_SAMPLED, now)]
    if held_until is not None:
        require_answers(rule.row.queue_id)
    queued = note(event, policy_id, rule.row, Routed.QUEUED, now)
    return [queued, new_item(event, rule.row, match, now, held_until)]


class LiveRule:
    """A rule's row with its conditions, ready to be asked."""

    def __init__(self, row: Rule) -> None:
        self.row = row
        self.spec = spec_of(row)


@lru_cache(maxsize=256)
def rules_of(policy_id: UUID) -> tuple[LiveRule, ...]:
    """The rules of a policy version. Versions never change once they are live, so they can be kept."""
    rows = Rule.objects.filter(policy_id=policy_id).select_related("queue", "policy").order_by("position")
    return tuple(LiveRule(row) for row in rows)


def spec_of(row: Rule) -> RuleSpec:
    return RuleSpec(
        pk=row.pk,
        key=row.key,
        name=row.name,
        kinds=frozenset(row.kinds),
        cameras=frozenset(row.cameras),
        classes=frozenset(row.classes),
        flags=frozenset(row.flags),
        low=row.low,
        high=row.high,
        bands={name: (low, high) for name, (low, high) in row.bands.items()},
        sampling_rate=row.sampling_rate,
    )


def facts_of(event: Event) -> Facts:
    return Facts(
        kind=event.kind,
        camera=names.camera_of(event),
        flags=frozenset(event.flags),
        subject=names.for_rules(event, event.subject_predictions),
    )


def sampled(event: Event, rule: RuleSpec) -> bool:
    return is_sampled(
        key=bytes(event.site.sampling_key),
        source_id=event.source_id,
        event_id=event.event_id,
        rule_key=rule.key,
        rate=rule.sampling_rate,
    )


def note(event: Event, policy_id: UUID | None, rule: Rule | None, decision: Routed, now: datetime) -> Routing:
    """What was decided, not written yet."""
    return Routing(
        event=event,
        policy_id=policy_id,
        rule_key=rule.key if rule else None,
        rule_name=rule.name if rule else "",
        decision=decision,
        probability=rule.sampling_rate if rule and decision in {Routed.QUEUED, Routed.NOT_SAMPLED} else None,
        routed_at=now,
    )


def require_answers(queue_id: UUID) -> None:
    """Raise Invalid `hold_not_supported` unless the people of the queue answer machines that wait."""
    if not Queue.objects.filter(pk=queue_id, answers_held=True).exists():
        raise Invalid(_("The queue that this event routes to answers no held events."), code="hold_not_supported")


def new_item(event: Event, rule: Rule, match: Match, now: datetime, held_until: datetime | None) -> Item:
    """An open item of the rule's queue, not written yet."""
    queue = rule.queue
    assert queue is not None
    due_at = now + (rule.due_in or known.due_in(queue.pk))
    chance = event.sampling_probability
    return Item(
        id=new_id(),
        event=event,
        site_id=event.site_id,
        queue=queue,
        priority=rule.priority,
        due_at=due_at if held_until is None else min(due_at, held_until),
        held_until=held_until,
        created_at=now,
        reason=reason_of(rule, match),
        sampling_probability=None if chance is None else chance * rule.sampling_rate,
    )


def reason_of(rule: Rule, match: Match) -> dict[str, Any]:
    """Why an item is here, as the desk and the API say it."""
    prediction = match.prediction or {}
    name = prediction.get("class", "")
    bands = match.rule.bands
    low, high = next((bands[said] for said in names_said(prediction) if said in bands), (rule.low, rule.high))
    return {
        "rule": rule.name,
        "explanation": rule.explanation,
        "policy_version": rule.policy.version,
        "prediction": prediction.get("id"),
        "class": name,
        "confidence": prediction.get("confidence"),
        "low": low,
        "high": high,
        "sampling_rate": rule.sampling_rate,
    }
