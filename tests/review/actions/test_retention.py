"""Retention: what may go, what never goes, and what everybody sees of it afterwards."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.tasks import default_task_backend
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from review import evidence_store
from review.actions.releases import make_release
from review.actions.retention import (
    bring_back,
    change_rules,
    hold_legally,
    lift_legal_hold,
    remove,
    state_of,
    walk_when_due,
)
from review.file_check import check_files
from review.models import Evidence, Item, Kept, LegalHold, Rendition, RetentionRule, RetentionRun, Verdict
from review.retention import Rules, due, figures
from review.tasks.renditions import make_renditions
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, bearer, give_answer, jpeg, make_person, post, sign_in

CONFIDENT = [{"id": "p1", "class": "person", "confidence": 0.9, "box": [1, 1, 5, 5]}]
LATER = timedelta(days=40)
SHADES = iter(range(1, 10_000))


@pytest.fixture(autouse=True)
def rules(place: Place) -> None:
    """Thirty days for what passed and for what was confirmed; the rest for ever."""
    for kept in (Kept.PASSED, Kept.CONFIRMED):
        RetentionRule.objects.create(site=place.site, kept=kept, days=30)


def picture() -> bytes:
    shade = next(SHADES)
    return jpeg((shade * 37 % 256, shade * 91 % 256, 7))


def passed(place: Place, **more: Any) -> Evidence:
    data = picture()
    post(place, picture=data, predictions=CONFIDENT, **more)
    return Evidence.objects.get(site=place.site, sha256=factories.sha256(data))


def going(place: Place, at: datetime) -> set[Any]:
    return {evidence.pk for evidence, _why in due(place.site, Rules.of(place.site), at)}


def test_what_passed_goes_after_its_days_and_the_event_stays(place: Place, now: datetime) -> None:
    evidence = passed(place)
    make_renditions.func(str(evidence.pk))
    names = [evidence.path, *(copy.path for copy in evidence.renditions.all())]
    assert going(place, now + timedelta(days=29)) == set()
    assert going(place, now + LATER) == {evidence.pk}
    assert walk_when_due(now=now + LATER) == 1
    evidence.refresh_from_db()
    assert (evidence.removed_at, evidence.removed_why) == (now + LATER, "nobody was asked: 30 d")
    assert not Rendition.objects.exists()
    for name in names:
        with pytest.raises(FileNotFoundError):
            evidence_store.read(name)
    assert evidence.event_rows.get().event.predictions[0]["class"] == "person"
    entry = AuditEntry.objects.get(verb="retention.removed")
    assert (entry.additional_data["files"], entry.additional_data["sha256"]) == (1, [evidence.sha256])
    run = RetentionRun.objects.get()
    assert (run.removed, run.finished_at) == (1, now + LATER)


def test_a_run_twice_removes_nothing_more_and_waits_an_hour(place: Place, now: datetime) -> None:
    passed(place)
    assert [walk_when_due(now=now + LATER + timedelta(minutes=m)) for m in (0, 1, 61)] == [1, 0, 0]
    assert RetentionRun.objects.count() == 2


def test_what_is_bound_never_goes(place: Place, supervisor: User, operator: User, now: datetime) -> None:
    """A99: open, parked, legally held, released; and bytes that another event still shows."""
    opened = post(place, picture=picture()).event
    parked = post(place, picture=picture(), model={"name": "nobody", "version": "1"}).event
    legal = passed(place)
    hold_legally(event=legal.event_rows.get().event, person=supervisor, reason="a claim", now=now)
    shared = picture()
    post(place, picture=shared, predictions=CONFIDENT)
    post(place, picture=shared)
    assert opened.items.exists()
    assert not parked.items.exists()
    assert going(place, now + timedelta(days=4000)) == set()
    lift_legal_hold(event=legal.event_rows.get().event, person=supervisor, reason="settled", now=now)
    assert going(place, now + timedelta(days=4000)) == {legal.pk}


def test_what_a_release_rests_on_stays(place: Place, operator: User, now: datetime) -> None:
    event = post(place, picture=picture()).event
    give_answer(factories.claim(place, operator, now), now=now)
    evidence = event.evidence_rows.get().evidence
    assert going(place, now + LATER) == {evidence.pk}
    Verdict.objects.update(final_at=now)
    make_release(person=None, site=place.site, queues=[place.queue], now=now + timedelta(minutes=1), enqueue=False)
    assert going(place, now + LATER) == set()


def test_a_release_leaves_out_what_is_gone(place: Place, operator: User, now: datetime) -> None:
    for _two in range(2):
        post(place, picture=picture())
        give_answer(factories.claim(place, operator, now), now=now)
    Verdict.objects.update(final_at=now)
    first = Evidence.objects.order_by("stored_at", "pk").first()
    assert first is not None
    assert remove(first.pk, Rules.of(place.site), now + LATER)
    made = make_release(person=None, site=place.site, queues=[place.queue], now=now + LATER, enqueue=False)
    assert (made.total, made.summary["excluded"]) == (1, {"evidence_removed": 1})


def test_bytes_bound_a_class_the_oldest_going_first(place: Place, now: datetime) -> None:
    RetentionRule.objects.filter(kept=Kept.PASSED).update(days=None)
    rows = [passed(place, now=now + timedelta(minutes=number)) for number in range(4)]
    size = rows[0].size
    RetentionRule.objects.filter(kept=Kept.PASSED).update(most_bytes=2 * size + size // 2)
    assert going(place, now + LATER) == {rows[0].pk, rows[1].pk}
    assert going(place, now + timedelta(hours=1)) == set()


def test_a_sources_clock_decides_nothing(place: Place, now: datetime) -> None:
    """A37: neither an old nor a future time of capture moves the end."""
    for year in (2001, 2099):
        passed(place, captured_at=f"{year}-01-01T00:00:00Z")
    assert going(place, now + timedelta(days=29)) == set()
    assert len(going(place, now + LATER)) == 2


def test_gone_is_said_to_who_may_see_it_and_to_nobody_else(
    place: Place, supervisor: User, outsider: User, now: datetime
) -> None:
    evidence = passed(place)
    make_renditions.func(str(evidence.pk))
    walk_when_due(now=now + LATER)
    address = f"/media/{evidence.pk}/working/"
    mine, other = Client(), Client()
    sign_in(mine, supervisor)
    sign_in(other, outsider)
    gone = mine.get(address, headers={"X-Requested-With": "fetch"})
    assert (gone.status_code, gone.json()["code"]) == (410, "evidence_removed")
    assert other.get(address).status_code == 404
    event = evidence.event_rows.get().event
    assert "no longer kept" in mine.get(f"/events/{event.pk}/").content.decode()
    shown = Client().get(f"/api/v1/events/{event.pk}", **bearer(factories.make_token(supervisor))).json()
    assert shown["evidence"][0]["state"] == "removed"


def test_the_check_of_files_misses_nothing(place: Place, now: datetime) -> None:
    passed(place)
    walk_when_due(now=now + LATER)
    assert check_files(now=now + LATER, mend=False).ok


def test_the_same_bytes_again_are_kept_again(place: Place, now: datetime, file_store: Path) -> None:
    data = picture()
    post(place, picture=data, predictions=CONFIDENT)
    walk_when_due(now=now + LATER)
    post(place, picture=data)
    evidence = Evidence.objects.get()
    assert evidence.removed_at is None
    assert evidence_store.read(evidence.path) == data
    assert make_renditions.func(str(evidence.pk)) is None
    assert evidence.renditions.exists()
    with transaction.atomic():
        assert not bring_back(evidence=evidence, data=data)


def test_bytes_that_went_are_asked_for_again(place: Place, now: datetime, file_store: Path) -> None:
    data = picture()
    post(place, picture=data, predictions=CONFIDENT)
    walk_when_due(now=now + LATER)
    address, token = f"/api/v1/evidence/{factories.sha256(data)}", bearer(place.token)
    assert Client().get(address, **token).json() == {"status": "stored"}
    default_task_backend.clear()
    again = post(place, evidence=factories.event_body(picture=data)["evidence"])
    assert again.evidence == {"frame": "pending"}
    assert Client().get(address, **token).json() == {"status": "pending", "received": 0}
    assert Client().put(address, data, content_type="image/jpeg", **token).status_code == 201
    assert Client().get(address, **token).json() == {"status": "stored"}
    evidence = Evidence.objects.get()
    assert (again.event.evidence_rows.get().evidence, evidence.removed_at) == (evidence, None)
    assert [one.task.name for one in default_task_backend.results] == ["make_renditions"]


def rule_form(place: Place, **changes: str) -> dict[str, str]:
    return {"before": state_of(place.site), "reason": "law", "days-passed": "7", "gb-corrected": "1.5"} | changes


def shown_by(client: Client, page: str, typed: dict[str, str]) -> str:
    """What a first sending shows, and a second one has to bring back."""
    answer = client.post(page, typed)
    assert answer.status_code == 200
    return str(answer.context["shown"])


def test_rules_are_changed_with_a_reason_on_a_page(place: Place, supervisor: User) -> None:
    client, page = Client(), f"/retention/{place.site.pk}/"
    sign_in(client, supervisor)
    before = rule_form(place)
    before |= {"shown": shown_by(client, page, before)}
    assert client.post(page, before | {"reason": " "}).status_code == 422
    for wrong in ({"days-passed": "0"}, {"days-passed": "x"}, {"gb-empty": "-1"}, {"quota": "nan"}):
        assert client.post(page, before | wrong).status_code == 422
    assert client.post(page, before).status_code == 302
    rows = dict(RetentionRule.objects.values_list("kept", "days"))
    assert (rows["passed"], rows["confirmed"]) == (7, None)
    assert RetentionRule.objects.get(kept="corrected").most_bytes == 1_500_000_000
    assert client.post(page, before).status_code == 409
    assert AuditEntry.objects.get(verb="retention.changed").additional_data["before"] == before["before"]
    assert "1.5" in client.get(page).content.decode()


def test_the_page_shows_what_would_go(place: Place, supervisor: User, now: datetime) -> None:
    evidence = passed(place)
    rules = Rules.of(place.site)
    assert figures(place.site, rules, now) == []
    [row] = figures(place.site, rules, now + LATER)
    assert (row["files"], row["bytes"], row["examples"]) == (1, evidence.size, [evidence])


def test_rules_show_what_they_would_do_before_they_do_it(place: Place, supervisor: User, now: datetime) -> None:
    evidence = passed(place, now=now - timedelta(days=10))
    client, page = Client(), f"/retention/{place.site.pk}/"
    sign_in(client, supervisor)
    assert client.get(page).context["going"] == []
    typed = rule_form(place)
    first = client.post(page, typed)
    assert [(row["files"], row["bytes"]) for row in first.context["going"]] == [(1, evidence.size)]
    assert RetentionRule.objects.get(kept="passed").days == 30
    # Other numbers than those that were shown are shown first, and a mistake shows everything again.
    seen = typed | {"shown": first.context["shown"]}
    other = client.post(page, seen | {"days-passed": "20"})
    assert (other.status_code, other.context["going"]) == (200, [])
    assert client.post(page, seen | {"reason": ""}).context["going"] != []
    assert RetentionRule.objects.get(kept="passed").days == 30
    assert client.post(page, seen).status_code == 302
    assert RetentionRule.objects.get(kept="passed").days == 7


def test_a_walk_takes_many_pages_and_stays_away_from_what_is_young(
    place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("review.actions.retention.PAGE", 2)
    old = [passed(place, now=now + timedelta(minutes=number)) for number in range(5)]
    for _number in range(8):
        passed(place, now=now + LATER)
    assert walk_when_due(now=now + LATER, budget_s=0) == 2
    assert RetentionRun.objects.get().finished_at is None
    assert walk_when_due(now=now + LATER) == 3
    run = RetentionRun.objects.get()
    assert (run.removed, run.after_id, run.finished_at) == (5, old[4].pk, now + LATER)


def test_new_rules_end_a_run_of_the_old_ones(
    place: Place, supervisor: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.actions.retention.PAGE", 1)
    rows = [passed(place, now=now + timedelta(minutes=number)) for number in range(4)]
    RetentionRule.objects.filter(kept=Kept.PASSED).update(days=None, most_bytes=rows[0].size)
    assert walk_when_due(now=now + LATER, budget_s=0) == 1
    change_rules(
        site=place.site,
        wanted={Kept.PASSED: (None, None)},
        quota_bytes=None,
        before=state_of(place.site),
        person=supervisor,
        reason="keep all",
        now=now + LATER,
    )
    assert walk_when_due(now=now + LATER + timedelta(hours=2)) == 0
    assert Evidence.objects.filter(removed_at=None).count() == 3


def test_a_legal_hold_is_set_and_lifted_on_the_events_page(place: Place, supervisor: User) -> None:
    event = post(place).event
    client = Client()
    sign_in(client, supervisor)
    for reason, act in ((" ", ""), ("a claim", ""), ("again", ""), ("settled", "lift"), ("again", "lift")):
        client.post(f"/events/{event.pk}/legal-hold/", {"reason": reason, "act": act})
    row = LegalHold.objects.get()
    assert (row.reason, row.lifted_by) == ("a claim", supervisor)
    with pytest.raises(Conflict):
        lift_legal_hold(event=event, person=supervisor, reason="x", now=timezone.now())
    with pytest.raises(Invalid):
        hold_legally(event=event, person=supervisor, reason="", now=timezone.now())


def test_another_sites_retention_does_not_exist(place: Place, outsider: User) -> None:
    client = Client()
    sign_in(client, outsider)
    assert client.get(f"/retention/{place.site.pk}/").status_code == 404
    assert client.post(f"/events/{post(place).event.pk}/legal-hold/", {"reason": "x"}).status_code == 404


def test_the_database_refuses_half_a_state(place: Place) -> None:
    evidence = passed(place)
    for broken in ({"removed_at": timezone.now()}, {"removed_why": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Evidence.objects.filter(pk=evidence.pk).update(**broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionRule.objects.create(site=place.site, kept="passed", days=1)


def test_a_page_of_the_walk_costs_few_queries_however_many_rows(
    place: Place, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for _number in range(12):
        post(place, picture=picture())
    with django_assert_max_num_queries(20):
        assert walk_when_due(now=now + LATER) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(6))
def test_removal_beside_everything_that_binds(at_once: AtOnce, seed: int) -> None:
    """A94: whatever comes first, bound bytes are there, and what is gone says so."""
    place = factories.make_place("mill")
    RetentionRule.objects.create(site=place.site, kept=Kept.PASSED, days=1)
    boss = make_person("boss", Role.SUPERVISOR, place.site)
    data, then = picture(), timezone.now() - timedelta(days=9)
    event = post(place, picture=data, predictions=CONFIDENT, now=then).event
    evidence, now = Evidence.objects.get(), timezone.now()

    acts = [
        lambda: remove(evidence.pk, Rules.of(place.site), now),
        lambda: post(place, picture=data),
        lambda: hold_legally(event=event, person=boss, reason="a claim", now=now),
        lambda: remove(evidence.pk, Rules.of(place.site), now),
    ]
    random.Random(seed).shuffle(acts)
    at_once(4, lambda number: acts[number]())
    evidence.refresh_from_db()
    # The second event waits in a queue, so the bytes must be there whatever came first.
    assert Item.objects.open().count() == 1
    assert evidence.removed_at is None
    assert evidence_store.read(evidence.path) == data


def test_two_who_change_rules_at_once_see_each_other(place: Place, supervisor: User, now: datetime) -> None:
    before = state_of(place.site)
    change_rules(
        site=place.site,
        wanted={Kept.EMPTY: (9, None)},
        quota_bytes=None,
        before=before,
        person=supervisor,
        reason="x",
        now=now,
    )
    with pytest.raises(Conflict):
        change_rules(site=place.site, wanted={}, quota_bytes=1, before=before, person=supervisor, reason="x", now=now)
