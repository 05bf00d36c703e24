"""Claims: the most urgent item first, one person per item, and nothing that outlives its lease."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions import claims, moves
from review.exceptions import ClaimLost
from review.models import Claim, Ended, Item, Skip
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, claim, give_answer, make_item, make_person

LEASE = timedelta(seconds=120)
LATER = {"until": timezone.now() + timedelta(days=1)}


def urgency(item: Item, **columns: Any) -> Item:
    Item.objects.filter(pk=item.pk).update(**columns)
    return item


def order(place: Place, person: User) -> list[Item]:
    """Every item of the queue in the order in which it is handed out."""
    found: list[Item] = []
    while taken := claims.claim_next(queue=place.queue, person=person, now=timezone.now()):
        found.append(taken.item)
    return found


# Which one


def test_priority_then_due_time_then_age_decides(place: Place, operator: User, now: datetime) -> None:
    hour = timedelta(hours=1)
    late = urgency(make_item(place), priority=4, due_at=now - 9 * hour, created_at=now - 9 * hour)
    young = urgency(make_item(place), priority=3, due_at=now + hour, created_at=now)
    old = urgency(make_item(place), priority=3, due_at=now + hour, created_at=now - hour)
    due_first = urgency(make_item(place), priority=3, due_at=now, created_at=now)
    urgent = urgency(make_item(place), priority=1, due_at=now + 9 * hour, created_at=now)
    assert order(place, operator) == [urgent, due_first, old, young, late]


def test_items_of_other_queues_are_not_handed_out(place: Place, elsewhere: Place, operator: User) -> None:
    make_item(elsewhere)
    assert order(place, operator) == []


def test_nobody_gets_an_item_that_he_has_answered(place: Place, operator: User, second: User, now: datetime) -> None:
    item = make_item(place)
    taken = claim(place, operator)
    give_answer(taken)
    Item.objects.filter(pk=item.pk).update(state="open", outcome="", verdict_id=None, decided_at=None)
    assert claims.claim_next(queue=place.queue, person=operator, now=now) is None
    assert claims.why_empty(queue=place.queue, person=operator, now=now).not_yours == 1
    assert claim(place, second).item == item


def test_a_claimed_item_is_nobody_elses(place: Place, operator: User, second: User, now: datetime) -> None:
    make_item(place)
    claim(place, operator)
    assert claims.claim_next(queue=place.queue, person=second, now=now) is None
    assert claims.why_empty(queue=place.queue, person=second, now=now) == claims.EmptyQueue(1, 0, 0)


def test_an_empty_queue_is_empty_for_no_reason(place: Place, operator: User, now: datetime) -> None:
    assert claims.why_empty(queue=place.queue, person=operator, now=now) == claims.EmptyQueue(0, 0, 0)


def test_an_item_that_changed_since_it_was_read_is_not_taken(place: Place, operator: User, second: User) -> None:
    make_item(place)
    stale, now = Item.objects.get(), timezone.now()
    claim(place, operator, now)
    assert claims.take(stale, second, now, LEASE, opened=True) is None
    Item.objects.update(claim_id=None, claimed_by=None, claim_expires_at=None, version=2)
    assert claims.take(stale, second, now, LEASE, opened=True) is None
    assert Claim.objects.get().holder == operator


# How long


def test_expiry_is_part_of_the_claim_and_needs_no_sweeper(place: Place, operator: User, second: User) -> None:
    item, start = make_item(place), timezone.now()
    first = claim(place, operator, start)
    assert claims.claim_next(queue=place.queue, person=second, now=start + LEASE - timedelta(seconds=1)) is None
    taken = claims.claim_next(queue=place.queue, person=second, now=start + LEASE)
    assert taken is not None
    first.refresh_from_db()
    assert (taken.item, first.ended) == (item, Ended.EXPIRED)


def test_a_claim_ahead_is_short_and_nothing_was_seen_yet(place: Place, operator: User, now: datetime) -> None:
    make_item(place)
    taken = claims.claim_next(queue=place.queue, person=operator, now=now, ahead=True)
    assert taken is not None
    assert taken.expires_at == now + timedelta(seconds=30)
    assert not AuditEntry.objects.filter(verb="picture.seen").exists()


def test_opening_a_claim_ahead_begins_the_full_lease_and_is_seen_once(place: Place, operator: User) -> None:
    now = timezone.now()
    make_item(place, picture=factories.jpeg())
    taken = claims.claim_next(queue=place.queue, person=operator, now=now, ahead=True)
    assert taken is not None
    later = now + timedelta(seconds=10)
    assert claims.open_claim(claim=taken, now=later).expires_at == later + LEASE
    claims.open_claim(claim=taken, now=later)
    assert AuditEntry.objects.filter(verb="picture.seen").count() == 1


def test_a_heartbeat_extends_the_lease(place: Place, operator: User, second: User) -> None:
    make_item(place)
    start = timezone.now()
    taken = claim(place, operator, start)
    claims.heartbeat(claim=taken, now=start + timedelta(seconds=100))
    assert claims.claim_next(queue=place.queue, person=second, now=start + timedelta(seconds=200)) is None


def test_a_heartbeat_revives_an_expired_claim_that_nobody_took(place: Place, operator: User, second: User) -> None:
    make_item(place)
    start = timezone.now()
    taken = claim(place, operator, start)
    late = start + 3 * LEASE
    claims.heartbeat(claim=taken, now=late)
    assert claims.claim_next(queue=place.queue, person=second, now=late) is None


def test_a_heartbeat_is_refused_once_somebody_else_has_the_item(place: Place, operator: User, second: User) -> None:
    make_item(place)
    start = timezone.now()
    taken = claim(place, operator, start)
    theirs = claim(place, second, start + LEASE)
    with pytest.raises(ClaimLost):
        claims.heartbeat(claim=taken, now=start + LEASE)
    theirs.item.refresh_from_db()
    assert theirs.item.claim_id == theirs.pk


def test_a_heartbeat_is_refused_once_the_item_is_decided(place: Place, operator: User, now: datetime) -> None:
    make_item(place)
    taken = claim(place, operator)
    give_answer(taken)
    with pytest.raises(ClaimLost):
        claims.heartbeat(claim=taken, now=now)


# Giving back, putting off, handing up


def test_an_item_given_back_is_free_at_once(place: Place, operator: User, second: User, now: datetime) -> None:
    item = make_item(place)
    taken = claim(place, operator)
    claims.give_back(claim=taken, now=now)
    claims.give_back(claim=taken, now=now)
    taken.refresh_from_db()
    assert taken.ended == Ended.RELEASED
    assert claim(place, second).item == item


def test_giving_back_a_lost_claim_leaves_the_new_holder_alone(place: Place, operator: User, second: User) -> None:
    make_item(place)
    start = timezone.now()
    mine = claim(place, operator, start)
    theirs = claim(place, second, start + LEASE)
    claims.give_back(claim=mine, now=start + LEASE)
    item = Item.objects.get()
    assert (item.claim_id, item.claimed_by) == (theirs.pk, second)


def test_a_skipped_item_comes_back_later_and_is_free_for_others(place: Place, operator: User, second: User) -> None:
    item, now = make_item(place), timezone.now()
    moves.skip(claim=claim(place, operator, now), until=now + timedelta(minutes=10), now=now)
    assert claims.claim_next(queue=place.queue, person=operator, now=now) is None
    assert claims.why_empty(queue=place.queue, person=operator, now=now).snoozed == 1
    claims.give_back(claim=claim(place, second, now), now=now)
    assert claim(place, operator, now + timedelta(minutes=11)).item == item


@pytest.mark.parametrize("verb", ["skip", "snooze", "hand_back", "escalate"])
def test_nothing_can_be_done_with_a_lost_claim(place: Place, operator: User, second: User, verb: str) -> None:
    make_item(place)
    start = timezone.now()
    mine = claim(place, operator, start)
    claim(place, second, start + LEASE)
    more: dict[str, Any] = {"skip": LATER, "snooze": LATER, "hand_back": {}, "escalate": {"to": None, "note": ""}}[verb]
    with pytest.raises(ClaimLost):
        getattr(moves, verb)(claim=mine, now=start + LEASE, **more)
    assert not Skip.objects.exists()
    assert Item.objects.get().claimed_by == second


def test_an_escalated_item_comes_first_for_others_and_never_back(
    place: Place, operator: User, second: User, now: datetime
) -> None:
    item = make_item(place)
    ordinary = urgency(make_item(place), priority=2)
    urgency(item, priority=1)
    moves.escalate(claim=claim(place, operator), to=None, note="what is this?", now=now)
    item.refresh_from_db()
    assert (item.priority, item.version, item.reason["escalated"]["note"]) == (1, 2, "what is this?")
    assert order(place, operator) == [ordinary]
    assert claim(place, second).item == item


def test_an_item_escalated_to_another_queue_waits_there(place: Place, operator: User, now: datetime) -> None:
    from review.actions.setup import create_queue

    senior = create_queue(site=place.site, slug="senior", name="Senior", taxonomy=place.taxonomy, maker=None, now=now)
    item = make_item(place)
    moves.escalate(claim=claim(place, operator), to=senior, note="", now=now)
    item.refresh_from_db()
    assert (item.queue, item.claim_id) == (senior, None)
    assert order(place, operator) == []


# At once


@pytest.mark.django_db(transaction=True)
def test_sixteen_claims_at_once_on_eight_items_have_one_owner_each(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    people = [make_person(f"op{number}", Role.OPERATOR, place.site) for number in range(16)]
    items = {make_item(place).pk for _number in range(8)}
    taken = at_once(16, lambda number: claims.claim_next(queue=place.queue, person=people[number], now=timezone.now()))
    held = [found for found in taken if found is not None]
    assert {found.item_id for found in held} == items
    assert len(held) == 8
    assert {(item.pk, item.claimed_by_id) for item in Item.objects.all()} == {(c.item_id, c.holder_id) for c in held}
    assert Claim.objects.filter(ended_at=None).count() == 8


@pytest.mark.django_db(transaction=True)
def test_many_tabs_of_one_person_get_different_items(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    person = make_person("olu", Role.OPERATOR, place.site)
    for _number in range(4):
        make_item(place)
    taken = at_once(8, lambda _number: claims.claim_next(queue=place.queue, person=person, now=timezone.now()))
    assert len({found.item_id for found in taken if found}) == 4
    assert len([found for found in taken if found]) == 4


@pytest.mark.django_db(transaction=True)
def test_an_expired_item_has_one_new_owner_whoever_comes_at_once(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    people = [make_person(f"op{number}", Role.OPERATOR, place.site) for number in range(6)]
    make_item(place)
    start = timezone.now()
    mine = claim(place, people[0], start)

    def go(number: int) -> bool:
        try:
            if number == 0:
                return bool(claims.heartbeat(claim=mine, now=start + LEASE))
            return bool(claims.claim_next(queue=place.queue, person=people[number], now=start + LEASE))
        except ClaimLost:
            return False

    assert sum(at_once(6, go)) == 1
    assert Claim.objects.filter(ended_at=None).count() == 1


# Nothing half


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_is_rolled_back_tells_nobody_and_leaves_no_trace(broadcasts: list[str]) -> None:
    place = factories.make_place("yard")
    person = make_person("olu", Role.OPERATOR, place.site)
    make_item(place)
    broadcasts.clear()
    with transaction.atomic():
        claim(place, person)
        transaction.set_rollback(True)
    assert broadcasts == []
    assert not Claim.objects.exists()
    assert not AuditEntry.objects.filter(verb="picture.seen").exists()
    claim(place, person)
    assert broadcasts == [f"queue.{place.queue.pk}"]


def test_one_live_claim_per_item_is_the_databases_own_rule(place: Place, operator: User, now: datetime) -> None:
    taken = claim(place, operator, now) if make_item(place) else None
    assert taken is not None
    with pytest.raises(IntegrityError, match=r"claim_one_live_per_item|UNIQUE"), transaction.atomic():
        Claim.objects.create(item=taken.item, holder=operator, created_at=now, expires_at=now)


@pytest.mark.parametrize(
    "columns", [{"ended": "answered"}, {"ended_at": timezone.now()}, {"ended_at": timezone.now(), "ended": "x"}]
)
def test_a_claim_ends_with_a_reason_or_not_at_all(place: Place, operator: User, columns: dict[str, Any]) -> None:
    make_item(place)
    taken = claim(place, operator)
    with pytest.raises(IntegrityError, match="claim_ended_says_how"), transaction.atomic():
        Claim.objects.filter(pk=taken.pk).update(**columns)


def test_a_person_skips_an_item_once(place: Place, operator: User, now: datetime) -> None:
    item = make_item(place)
    Skip.objects.create(item=item, person=operator, until=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Skip.objects.create(item=item, person=operator, until=now)


@pytest.mark.parametrize(
    "columns",
    [
        {"claim_id": uuid4()},
        {"claim_expires_at": timezone.now()},
        {"claim_id": uuid4(), "claim_expires_at": timezone.now()},
    ],
)
def test_an_item_holds_a_whole_claim_or_none(place: Place, columns: dict[str, Any]) -> None:
    item = make_item(place)
    with pytest.raises(IntegrityError, match="item_claim_is_whole"), transaction.atomic():
        Item.objects.filter(pk=item.pk).update(**columns)


# What it costs


def cost(place: Place, person: User) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert claims.claim_next(queue=place.queue, person=person, now=timezone.now())
    return len(queries)


def test_a_claim_costs_the_same_however_much_waits(place: Place, operator: User) -> None:
    for _number in range(3):
        make_item(place)
    cost(place, operator)
    few = cost(place, operator)
    for _number in range(30):
        make_item(place)
    assert cost(place, operator) == few
