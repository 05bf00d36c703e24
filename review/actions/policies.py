"""Policies: every change is a new version, and exactly one version of a site is live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from inference.actions.sites import require_in_use
from inference.models import Site
from review.models import Policy, PolicyState, Queue, Rule

COPIED = [
    "key",
    "name",
    "explanation",
    "kinds",
    "cameras",
    "classes",
    "flags",
    "low",
    "high",
    "bands",
    "queue_id",
    "priority",
    "due_in",
    "sampling_rate",
]


# The class name that stands for a rule's own band: every class without one of its own.
REST = ""


@dataclass(frozen=True, slots=True)
class BandChange:
    """A new review band of one class (or `REST`) in one rule: `low <= confidence < high`, both in 0..1."""

    rule_key: str
    class_name: str
    low: float
    high: float


def publish(
    *, site: Site, rules: Sequence[Mapping[str, Any]], person: User | None, reason: str, now: datetime
) -> Policy:
    """Make `rules` (columns of Rule, in order) the site's live policy, as its next version."""
    try:
        with transaction.atomic():
            require_in_use(site)
            require_queues(rules)
            policy = new_version(site, person, reason, now)
            Rule.objects.bulk_create(
                Rule(policy=policy, position=position, **columns) for position, columns in enumerate(rules)
            )
            go_live(policy, now)
            audit.record(
                "policy.published",
                actor=person,
                on=policy,
                site_id=site.pk,
                action=audit.Action.CREATE,
                version=policy.version,
                reason=reason,
            )
    except IntegrityError:
        raise Conflict(_("Somebody else has just published a policy."), code="stale_version") from None
    return policy


def require_queues(rules: Sequence[Mapping[str, Any]]) -> None:
    """Raise Invalid `queue_retired` for a rule that sends to a retired queue. None of them is retired until the end of
    the transaction.
    """
    targets = [rule["queue"].pk if rule.get("queue") else rule.get("queue_id") for rule in rules]
    locked = Queue.objects.select_for_update(of=("self",)).filter(pk__in=set(filter(None, targets))).order_by("pk")
    retired = {queue.pk: queue for queue in locked if queue.retired_at is not None}
    for position, target in enumerate(targets):
        if target in retired:
            text = _("The queue “%(queue)s” is retired: bring it back, or send elsewhere.") % {"queue": retired[target]}
            raise Invalid(
                text, code="queue_retired", errors=[{"path": f"$.rules[{position}].queue", "message": str(text)}]
            )


def change_bands(
    *,
    site: Site,
    version: int,
    changes: Sequence[BandChange],
    floor: float | None,
    person: User,
    reason: str,
    now: datetime,
) -> Policy:
    """Publish the live policy again with other review bands.

    `version` is the one that the person looked at; another live version by now is Conflict `stale_version`. A band
    that begins below `floor`, what the site's sources report at least, is Invalid `band_below_floor`: nothing is
    posted there.
    """
    if not reason.strip():
        raise Invalid(_("Say why the bands change."), code="reason_required")
    for change in changes:
        check_band(change, floor)
    with transaction.atomic():
        rows = rules_of_live(site, version)
        before = {change: band_in(rows, change) for change in changes}
        for change in changes:
            set_band(rows, change)
        policy = publish(site=site, rules=rows, person=person, reason=reason.strip(), now=now)
        audit.record(
            "policy.bands_changed",
            actor=person,
            on=policy,
            site_id=site.pk,
            reason=reason.strip(),
            bands=[
                {"class": change.class_name or "*", "before": before[change], "after": [change.low, change.high]}
                for change in changes
            ],
        )
    return policy


def rules_of_live(site: Site, version: int) -> list[dict[str, Any]]:
    """The rules of the live policy as columns, in order, the policy locked: of two who change it, one is told so."""
    live = Policy.objects.select_for_update().filter(site=site, state=PolicyState.LIVE).first()
    if live is None or live.version != version:
        raise Conflict(_("Somebody else has changed this policy; look at it again."), code="stale_version")
    return [{name: getattr(rule, name) for name in COPIED} for rule in live.rules.order_by("position")]


def row_of(rows: list[dict[str, Any]], change: BandChange) -> dict[str, Any]:
    """The rule that a change is about. Raises Invalid for one that the live policy does not have."""
    for row in rows:
        if str(row["key"]) == change.rule_key:
            return row
    raise Invalid(_("The policy has no such rule."), code="unknown_rule")


def band_in(rows: list[dict[str, Any]], change: BandChange) -> list[float | None] | None:
    row = row_of(rows, change)
    if change.class_name == REST:
        return [row["low"], row["high"]]
    band: list[float | None] | None = row["bands"].get(change.class_name)
    return band


def set_band(rows: list[dict[str, Any]], change: BandChange) -> None:
    row = row_of(rows, change)
    if change.class_name == REST:
        row["low"], row["high"] = change.low, change.high
    else:
        row["bands"] = row["bands"] | {change.class_name: [change.low, change.high]}


def check_band(change: BandChange, floor: float | None) -> None:
    if not 0 <= change.low <= change.high <= 1:
        raise Invalid(
            _("%(name)s: a band goes from a lower to a higher share between 0 and 1.") % {"name": change.class_name},
            code="bad_band",
            field=change.class_name,
        )
    if floor is not None and change.low < floor:
        raise Invalid(
            _("%(name)s: the sources report nothing below %(floor).2f, so a band cannot begin at %(low).2f.")
            % {"name": change.class_name, "floor": floor, "low": change.low},
            code="band_below_floor",
            field=change.class_name,
        )


def new_version(site: Site, person: User | None, reason: str, now: datetime) -> Policy:
    last = Policy.objects.filter(site=site).order_by("-version").values_list("version", flat=True).first() or 0
    return Policy.objects.create(site=site, version=last + 1, created_by=person, created_at=now, reason=reason)


def go_live(policy: Policy, now: datetime) -> None:
    """Retire the live version and put this one in its place; the constraint holds if two do it at once."""
    Policy.objects.filter(site=policy.site, state=PolicyState.LIVE).update(state=PolicyState.RETIRED, retired_at=now)
    Policy.objects.filter(pk=policy.pk).update(state=PolicyState.LIVE, live_at=now)
    policy.state, policy.live_at = PolicyState.LIVE, now
