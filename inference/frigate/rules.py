"""Which tracked objects are worth a look, and why."""

import hashlib

import msgspec
from msgspec import Struct

from inference.edge.rules import chosen
from inference.frigate.config import Config, RuleConfig
from inference.frigate.tracked import Tracked


class Reason(Struct, frozen=True):
    """The rule that held, as it was then: the inbox keeps it across a change of the configuration."""

    rule: str
    kind: str
    flags: tuple[str, ...]
    sample: float


def reason_for(config: Config, tracked: Tracked) -> Reason | None:
    """The first rule that holds and whose sample the object is in; None when it is not worth a look (yet)."""
    if tracked.confidence < config.reporting_floor:
        return None
    for rule in config.rules:
        if _holds(rule, tracked) and chosen(f"{rule.name}:{tracked.id}", rule.sample):
            return Reason(rule.name, rule.event.kind, rule.event.flags, rule.sample)
    return None


def _holds(rule: RuleConfig, tracked: Tracked) -> bool:
    return (
        (tracked.ended or rule.when == "now")
        and (rule.cameras is None or tracked.camera in rule.cameras)
        and (rule.labels is None or tracked.label in rule.labels)
        and (rule.zones is None or not set(rule.zones).isdisjoint(tracked.zones))
        and (rule.false_positive is None or rule.false_positive == tracked.false_positive)
        and _within(rule.confidence, tracked.confidence)
        and _within(rule.top_score, tracked.top_score if tracked.top_score is not None else tracked.confidence)
    )


def _within(band: tuple[float, float], value: float) -> bool:
    """From, up to but not including; an upper end of 1 is included."""
    low, high = band
    return low <= value and (value < high or high == 1.0)


def digest(config: Config) -> str:
    """`sha256:...` over what decides: rules, thresholds and the reporting floor."""
    deciding = {"rules": config.rules, "thresholds": config.thresholds, "reporting_floor": config.reporting_floor}
    return "sha256:" + hashlib.sha256(msgspec.json.encode(deciding, order="deterministic")).hexdigest()
