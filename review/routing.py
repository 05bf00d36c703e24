"""Which rule of a policy an event meets, and whether it is sampled. Pure: no database, no clock, no chance."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """The conditions of a rule; empty ones match anything. Bands are shares, `low <= confidence < high`."""

    pk: UUID
    key: UUID
    name: str
    kinds: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sampling_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule reads of an event.

    `subject` are its subject predictions with the site's class names; `said` is the model's own word where it differs,
    `also` what the class was called before, and a rule may name any of them.
    """

    kind: str
    camera: str
    flags: frozenset[str]
    subject: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Match:
    """The one rule that applies, and the subject prediction that met it (None for an event without predictions)."""

    rule: RuleSpec
    prediction: Mapping[str, Any] | None


def first_match(rules: Iterable[RuleSpec], facts: Facts) -> Match | None:
    """The first rule of which one subject prediction meets all conditions; None when no rule does."""
    for rule in rules:
        if not meets_frame(rule, facts):
            continue
        if not facts.subject:
            if not rule.classes and rule.low is None and rule.high is None and not rule.bands:
                return Match(rule, None)
            continue
        for prediction in facts.subject:
            if meets_prediction(rule, prediction):
                return Match(rule, prediction)
    return None


def meets_frame(rule: RuleSpec, facts: Facts) -> bool:
    return (
        (not rule.kinds or facts.kind in rule.kinds)
        and (not rule.cameras or facts.camera in rule.cameras)
        and (not rule.flags or bool(rule.flags & facts.flags))
    )


def names_said(prediction: Mapping[str, Any]) -> list[str]:
    """The names by which a rule may mean a prediction's class, the site's own first; none for no prediction."""
    said = [prediction.get("class"), prediction.get("said"), *prediction.get("also", ())]
    return [name for name in said if name is not None]


def meets_prediction(rule: RuleSpec, prediction: Mapping[str, Any]) -> bool:
    names, confidence = names_said(prediction), prediction["confidence"]
    if rule.classes and rule.classes.isdisjoint(names):
        return False
    low, high = band_of(rule, names)
    return low <= confidence and (confidence < high or high >= 1.0)


def band_of(rule: RuleSpec, names: Sequence[str]) -> tuple[float, float]:
    """The confidence band of a rule for a class by its names: its own one, or the rule's."""
    for name in names:
        if name in rule.bands:
            return rule.bands[name]
    return (0.0 if rule.low is None else rule.low, 1.0 if rule.high is None else rule.high)


def is_sampled(*, key: bytes, source_id: UUID, event_id: UUID, rule_key: UUID, rate: float) -> bool:
    """Whether a rule's sample holds this event: a keyed hash of event and rule, as a share, lies below `rate`.

    The same event and rule always give the same share, so 2 % is a subset of 5 % and an edit rolls no new dice.
    """
    if rate >= 1.0:
        return True
    mac = hmac.new(key, source_id.bytes + event_id.bytes + rule_key.bytes, hashlib.sha256).digest()
    return int.from_bytes(mac[:8], "big") / 2**64 < rate
