"""Policies: every change is a version, one is live, and the next event obeys it."""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from review.actions.policies import BandChange, change_bands, publish
from review.models import Item, Policy, PolicyState, Routed, Rule
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, make_person, post

PERSON = {"id": "p1", "class": "person", "confidence": 0.7, "box": [1, 1, 5, 5]}


def key_of(place: Place, name: str = "unsure") -> str:
    return str(Rule.objects.get(policy__site=place.site, policy__state=PolicyState.LIVE, name=name).key)


def change(place: Place, person: User, low: float, high: float, **more: Any) -> Policy:
    asked: dict[str, Any] = {
        "site": place.site,
        "version": 1,
        "changes": [BandChange(key_of(place), "person", low, high)],
        "floor": 0.25,
        "person": person,
        "reason": "too many",
        "now": timezone.now(),
    }
    return change_bands(**asked | more)


def test_the_next_event_obeys_the_new_band(place: Place, supervisor: User) -> None:
    before = post(place, predictions=[PERSON], subject=["p1"])
    assert before.event.routings.get().decision == Routed.PASSED
    change(place, supervisor, 0.25, 0.8)
    after = post(place, predictions=[PERSON], subject=["p1"])
    assert Item.objects.get(event=after.event).reason["policy_version"] == 2
    assert before.event.routings.count() == 1


def test_a_new_version_keeps_everything_else_and_the_keys_of_its_rules(place: Place, supervisor: User) -> None:
    old = place.policy.rules.order_by("position")
    new = change(place, supervisor, 0.3, 0.8).rules.order_by("position")
    assert [rule.key for rule in new] == [rule.key for rule in old]
    assert [rule.name for rule in new] == ["unsure", "sample", "rest"]
    assert new[0].bands == {"person": [0.3, 0.8], "bird": [0.25, 0.6]}
    assert old[0].bands == {"person": [0.25, 0.6], "bird": [0.25, 0.6]}
    place.policy.refresh_from_db()
    assert place.policy.state == PolicyState.RETIRED


@pytest.mark.parametrize(
    "low,high,code",
    [
        (0.1, 0.6, "band_below_floor"),
        (0.7, 0.6, "bad_band"),
        (-0.1, 0.6, "bad_band"),
        (0.3, 1.1, "bad_band"),
        (float("nan"), 0.6, "bad_band"),
        (0.3, float("nan"), "bad_band"),
        (float("-inf"), float("inf"), "bad_band"),
    ],
)
def test_a_band_that_cannot_be_is_refused(place: Place, supervisor: User, low: float, high: float, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        change(place, supervisor, low, high)
    assert refused.value.code == code
    assert Policy.objects.filter(site=place.site).count() == 1


def test_a_refused_band_names_the_floor(place: Place, supervisor: User) -> None:
    with pytest.raises(Invalid, match=r"0\.25"):
        change(place, supervisor, 0.1, 0.6)


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_change_says_why(place: Place, supervisor: User, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        change(place, supervisor, 0.3, 0.6, reason=reason)
    assert refused.value.code == "reason_required"


def test_a_rule_that_is_not_there_is_refused(place: Place, supervisor: User) -> None:
    with pytest.raises(Invalid) as refused:
        change(place, supervisor, 0.3, 0.6, changes=[BandChange("no-such-key", "person", 0.3, 0.6)])
    assert refused.value.code == "unknown_rule"
    assert Policy.objects.filter(site=place.site).count() == 1


@pytest.mark.parametrize("version", [0, 2, 10**30])
def test_a_change_of_another_version_is_refused(place: Place, supervisor: User, version: int) -> None:
    with pytest.raises(Conflict) as refused:
        change(place, supervisor, 0.3, 0.6, version=version)
    assert refused.value.code == "stale_version"


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_counts_and_none_is_lost(at_once: AtOnce) -> None:
    place, person = factories.make_place("yard"), make_person("sam")
    key = key_of(place)
    classes = ["person", "bird"]

    def go(number: int) -> bool:
        try:
            change(place, person, 0.3, 0.9, changes=[BandChange(key, classes[number], 0.3, 0.9)])
        except Conflict:
            return False
        return True

    assert sorted(at_once(2, go)) == [False, True]
    assert Policy.objects.filter(site=place.site, state=PolicyState.LIVE).count() == 1
    assert Policy.objects.filter(site=place.site).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_publishers_at_once_exactly_one_version_is_live(at_once: AtOnce) -> None:
    place = factories.make_place("yard")

    def go(_number: int) -> bool:
        try:
            publish(site=place.site, rules=[{"name": "all"}], person=None, reason="x", now=timezone.now())
        except Conflict:
            return False
        return True

    won = sum(at_once(6, go))
    assert won >= 1
    versions = list(Policy.objects.filter(site=place.site).order_by("version").values_list("version", flat=True))
    assert versions == list(range(1, won + 2))
    assert Policy.objects.get(site=place.site, state=PolicyState.LIVE).version == versions[-1]


def test_the_entry_tells_before_and_after(place: Place, supervisor: User) -> None:
    change(place, supervisor, 0.3, 0.8)
    entry = AuditEntry.objects.get(verb="policy.bands_changed")
    assert entry.additional_data["bands"] == [{"class": "person", "before": [0.25, 0.6], "after": [0.3, 0.8]}]
    assert entry.actor == supervisor


def test_a_site_without_a_policy_keeps_its_events(place: Place) -> None:
    Policy.objects.filter(site=place.site).update(state=PolicyState.RETIRED)
    assert post(place).event.routings.get().decision == Routed.NO_POLICY


def test_what_no_rule_matches_is_kept_and_said(place: Place, now: datetime) -> None:
    publish(
        site=place.site,
        rules=[{"name": "cars", "classes": ["car"], "queue": place.queue}],
        person=None,
        reason="x",
        now=now,
    )
    assert post(place).event.routings.get().decision == Routed.UNMATCHED


def test_what_is_not_in_the_sample_is_kept_with_its_chance(place: Place, now: datetime) -> None:
    rules = [{"name": "none", "queue": place.queue, "sampling_rate": 0.0}]
    publish(site=place.site, rules=rules, person=None, reason="x", now=now)
    routing = post(place).event.routings.get()
    assert (routing.decision, routing.probability) == (Routed.NOT_SAMPLED, 0.0)


@pytest.mark.parametrize("source,kept", [(None, None), (0.5, 0.5), (1.0, 1.0)])
def test_the_chance_of_an_item_is_source_times_server(place: Place, source: float | None, kept: float | None) -> None:
    more = {} if source is None else {"sampling_probability": source}
    assert factories.make_item(place, **more).sampling_probability == kept


@pytest.mark.parametrize(
    "columns,name",
    [
        ({"sampling_rate": 1.1}, "rule_sampling_rate_is_a_share"),
        ({"priority": 0}, "rule_priority_1_to_5"),
        ({"low": 0.9, "high": 0.1}, "rule_band_is_a_band"),
    ],
)
def test_the_database_knows_what_a_rule_is(place: Place, columns: dict[str, Any], name: str) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Rule.objects.create(policy=place.policy, position=99, name="x", **columns)


def test_one_live_policy_per_site_is_the_databases_own_rule(place: Place, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(site=place.site, version=2, state=PolicyState.LIVE, created_at=now)


# The page


def test_the_page_publishes_what_was_typed(place: Place, supervisor: User) -> None:
    post(place)
    client = Client()
    client.force_login(supervisor)
    address = f"/policy/{place.site.pk}/"
    assert client.get(address).status_code == 200
    rows = {"low-0": "0.25", "high-0": "0.6", "low-1": "0.3", "high-1": "0.8", "version": "1", "reason": "try"}
    assert client.post(address, rows | {"low-0": "0.1"}).status_code == 422
    assert client.post(address, rows | {"low-0": "nan"}).status_code == 422
    assert client.post(address, rows | {"version": "9" * 40}).status_code == 422
    assert client.post(address, rows).status_code == 302
    assert Policy.objects.get(site=place.site, state=PolicyState.LIVE).version == 2
    assert client.post(address, rows | {"high-1": "0.9"}).status_code == 422
