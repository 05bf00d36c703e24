"""Rules without a database: the first that matches, bands, and a sample that never rolls its dice again."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.routing import Facts, RuleSpec, first_match, is_sampled

KEY = b"k" * 32


def rule(name: str = "r", **conditions: Any) -> RuleSpec:
    sets = {key: frozenset(value) for key, value in conditions.items() if isinstance(value, set)}
    return RuleSpec(pk=uuid4(), key=uuid4(), name=name, **conditions | sets)


def facts(
    *subject: tuple[str, float], kind: str = "unsure", camera: str = "cam", flags: set[str] | None = None
) -> Facts:
    predictions = [{"id": f"p{n}", "class": name, "confidence": share} for n, (name, share) in enumerate(subject)]
    return Facts(kind=kind, camera=camera, flags=frozenset(flags or ()), subject=predictions)


def matched(found: Facts, *rules: RuleSpec) -> str | None:
    match = first_match(rules, found)
    return match.rule.name if match else None


def test_the_first_rule_that_matches_applies() -> None:
    rules = rule("birds", classes={"bird"}), rule("all"), rule("never")
    assert matched(facts(("bird", 0.5)), *rules) == "birds"
    assert matched(facts(("car", 0.5)), *rules) == "all"
    assert matched(facts(("car", 0.5))) is None


@pytest.mark.parametrize(
    "share,within", [(0.0, False), (0.2499, False), (0.25, True), (0.5999, True), (0.6, False), (1.0, False)]
)
def test_a_band_holds_its_lower_end_and_not_its_upper_one(share: float, within: bool) -> None:
    assert bool(matched(facts(("bird", share)), rule(low=0.25, high=0.6))) is within


def test_a_band_up_to_one_holds_one() -> None:
    assert matched(facts(("bird", 1.0)), rule(low=0.9, high=1.0))
    assert matched(facts(("bird", 1.0)), rule(low=0.9))


def test_a_class_with_a_band_of_its_own_does_not_use_the_rules() -> None:
    banded = rule(low=0.0, high=0.1, bands={"bird": (0.5, 0.9)})
    assert matched(facts(("bird", 0.6)), banded)
    assert not matched(facts(("bird", 0.05)), banded)
    assert matched(facts(("car", 0.05)), banded)


def test_one_prediction_must_meet_every_condition() -> None:
    both = rule(classes={"bird"}, low=0.5, high=1.0)
    assert not matched(facts(("bird", 0.1), ("car", 0.9)), both)
    match = first_match([both], facts(("car", 0.9), ("bird", 0.7)))
    assert match is not None
    assert match.prediction is not None
    assert match.prediction["id"] == "p1"


def test_conditions_on_the_frame_all_hold() -> None:
    strict = rule(kinds={"flagged"}, cameras={"gate"}, flags={"night", "rain"})
    assert matched(facts(("bird", 0.5), kind="flagged", camera="gate", flags={"rain"}), strict)
    for change in ({"kind": "sample"}, {"camera": "yard"}, {"flags": {"day"}}):
        right: dict[str, Any] = {"kind": "flagged", "camera": "gate", "flags": {"rain"}}
        assert not matched(facts(("bird", 0.5), **right | change), strict)


def test_an_empty_frame_meets_only_rules_that_ask_nothing_of_a_prediction() -> None:
    assert matched(facts(kind="sample"), rule(kinds={"sample"}))
    for asks in ({"classes": {"bird"}}, {"low": 0.0}, {"high": 1.0}, {"bands": {"bird": (0.0, 1.0)}}):
        assert not matched(facts(kind="sample"), rule(**asks))


ids = st.uuids()
rates = st.floats(0, 1)


@given(event=ids, source=ids, key=ids, low=rates, high=rates)
def test_a_smaller_sample_is_part_of_a_larger_one(
    event: UUID, source: UUID, key: UUID, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    known = {"key": KEY, "source_id": source, "event_id": event, "rule_key": key}
    if is_sampled(**known, rate=low):
        assert is_sampled(**known, rate=high)


@given(event=ids, source=ids, key=ids)
def test_all_is_all_and_nothing_is_nothing(event: UUID, source: UUID, key: UUID) -> None:
    known = {"key": KEY, "source_id": source, "event_id": event, "rule_key": key}
    assert is_sampled(**known, rate=1.0)
    assert not is_sampled(**known, rate=0.0)
    assert is_sampled(**known, rate=0.5) == is_sampled(**known, rate=0.5)


def test_a_sample_has_the_size_that_it_says() -> None:
    source, key = UUID(int=1), UUID(int=2)
    hits = sum(
        is_sampled(key=KEY, source_id=source, event_id=UUID(int=number), rule_key=key, rate=0.05)
        for number in range(20_000)
    )
    assert 850 < hits < 1150


def test_two_rules_and_two_sites_draw_different_samples() -> None:
    def drawn(key: bytes, rule_key: UUID) -> list[bool]:
        return [
            is_sampled(key=key, source_id=UUID(int=1), event_id=UUID(int=n), rule_key=rule_key, rate=0.5)
            for n in range(64)
        ]

    assert drawn(KEY, UUID(int=1)) != drawn(KEY, UUID(int=2))
    assert drawn(KEY, UUID(int=1)) != drawn(b"x" * 32, UUID(int=1))
