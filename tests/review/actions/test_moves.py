"""Putting an item away without an answer: to whom it goes, for how long, and what nobody gets."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions import claims, moves
from review.actions.moves import GRACE, KEPT
from review.actions.setup import create_queue
from review.models import Item, Queue
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, claim, give_answer, make_item, make_person


@pytest.fixture
def senior(place: Place, operator: User, now: datetime) -> Queue:
    return create_queue(site=place.site, slug="senior", name="Senior", taxonomy=place.taxonomy, maker=operator, now=now)


def next_of(queue: Queue, person: User, now: datetime) -> Item | None:
    taken = claims.claim_next(queue=queue, person=person, now=now)
    return taken.item if taken else None


# Putting off


def test_what_was_put_off_comes_back_to_the_same_person_first(
    place: Place, operator: User, second: User, now: datetime
) -> None:
    item, until = make_item(place), now + timedelta(minutes=30)
    moves.snooze(claim=claim(place, operator, now), until=until, note="the light comes back", now=now)
    for person in (operator, second):
        assert next_of(place.queue, person, now + timedelta(minutes=29)) is None
    why = claims.why_empty(queue=place.queue, person=operator, now=now)
    assert (why.snoozed, why.snoozed_until, why.claimed_by_others) == (1, until, 0)
    assert claims.why_empty(queue=place.queue, person=second, now=now).claimed_by_others == 1
    assert next_of(place.queue, second, until) is None, "it is still his for a while"
    assert next_of(place.queue, operator, until) == item
    entry = AuditEntry.objects.get(verb="item.snoozed").additional_data or {}
    assert entry["note"] == "the light comes back"


def test_what_he_does_not_come_for_is_free_for_all(place: Place, operator: User, second: User, now: datetime) -> None:
    item, until = make_item(place), now + timedelta(minutes=30)
    moves.snooze(claim=claim(place, operator, now), until=until, now=now)
    assert next_of(place.queue, second, until + GRACE + timedelta(seconds=1)) == item


@pytest.mark.parametrize("away", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_a_time_that_is_no_time_to_put_off_to(place: Place, operator: User, now: datetime, away: timedelta) -> None:
    make_item(place)
    with pytest.raises(Invalid) as refused:
        moves.snooze(claim=claim(place, operator, now), until=now + away, now=now)
    assert refused.value.code == "bad_time"
    assert Item.objects.get().claimed_by == operator


def test_what_a_machine_waits_for_cannot_be_put_off(place: Place, operator: User, now: datetime) -> None:
    factories.post(place, hold={"deadline_s": 60, "fallback": "reject"}, now=now)
    with pytest.raises(Conflict) as refused:
        moves.snooze(claim=claim(place, operator, now), until=now + timedelta(minutes=5), now=now)
    assert refused.value.code == "held"


# Escalating to somebody, and handing back


def test_what_is_sent_to_somebody_is_offered_to_him_first_and_to_nobody_else(
    place: Place, operator: User, second: User, now: datetime
) -> None:
    third = make_person("third", Role.OPERATOR, place.site)
    first, _older = make_item(place), make_item(place)
    mine = claim(place, operator, now)
    assert mine.item == first
    moves.escalate(claim=mine, to=None, note="yours?", now=now, person=second)
    assert next_of(place.queue, third, now) != first
    assert next_of(place.queue, second, now) == first
    assert next_of(place.queue, operator, now + KEPT * 2) != first, "never back to who sent it up"


def test_handing_back_returns_it_to_who_sent_it(
    place: Place, operator: User, second: User, senior: Queue, now: datetime
) -> None:
    item = make_item(place)
    moves.escalate(claim=claim(place, operator, now), to=senior, note="what is this?", now=now)
    theirs = claims.claim_next(queue=senior, person=second, now=now)
    assert theirs is not None
    moves.hand_back(claim=theirs, note="a heron", now=now)
    item.refresh_from_db()
    assert (item.queue, item.reserved_for) == (place.queue, operator)
    assert item.reason["returned"] == {"by": str(second), "note": "a heron"}
    assert "escalated" not in item.reason
    third = make_person("third", Role.OPERATOR, place.site)
    assert next_of(place.queue, third, now) is None
    back = claims.claim_next(queue=place.queue, person=operator, now=now)
    assert back is not None
    give_answer(back, now=now)
    item.refresh_from_db()
    assert (item.outcome, item.reserved_for) == ("confirmed", None)


def test_handing_back_within_one_queue_brings_it_to_who_may_not_have_it_otherwise(
    place: Place, operator: User, second: User, now: datetime
) -> None:
    item = make_item(place)
    moves.escalate(claim=claim(place, operator, now), to=None, note="look", now=now)
    moves.hand_back(claim=claim(place, second, now), note="no idea either", now=now)
    assert next_of(place.queue, second, now) is None
    assert next_of(place.queue, operator, now) == item


def test_without_a_sender_it_goes_to_the_others(place: Place, operator: User, second: User, now: datetime) -> None:
    item = make_item(place)
    moves.hand_back(claim=claim(place, operator, now), note="I know this person", now=now)
    assert next_of(place.queue, operator, now) is None
    assert next_of(place.queue, second, now) == item


def test_who_has_left_gets_nothing_back_and_keeps_nothing(
    place: Place, operator: User, second: User, now: datetime
) -> None:
    one = make_item(place)
    moves.snooze(claim=claim(place, operator, now), until=now + timedelta(hours=5), now=now)
    claims.give_back_all(operator, now)
    assert next_of(place.queue, second, now) == one
    other = make_item(place)
    moves.escalate(claim=claim(place, operator, now), to=None, note="", now=now)
    User.objects.filter(pk=operator.pk).update(is_active=False)
    third = make_person("third", Role.OPERATOR, place.site)
    moves.hand_back(claim=claim(place, third, now), note="", now=now)
    other.refresh_from_db()
    assert other.reserved_for is None


@pytest.mark.parametrize("move", ["snooze", "hand_back"])
def test_a_queue_may_want_to_know_why(place: Place, operator: User, now: datetime, move: str) -> None:
    make_item(place)
    Queue.objects.filter(pk=place.queue.pk).update(needs_reason=[move])
    taken = claim(place, operator, now)
    more: dict[str, Any] = {"until": now + timedelta(minutes=5)} if move == "snooze" else {}
    with pytest.raises(Invalid) as refused:
        getattr(moves, move)(claim=taken, now=now, note=" ", **more)
    assert refused.value.code == "reason_required"
    getattr(moves, move)(claim=taken, now=now, note="the lens is dirty", **more)


@pytest.mark.django_db(transaction=True)
def test_fifty_people_on_twenty_items_each_have_one_or_none(place: Place, now: datetime, at_once: AtOnce) -> None:
    people = [make_person(f"operator-{number}", Role.OPERATOR, place.site) for number in range(50)]
    items = {make_item(place).pk for _number in range(20)}
    taken = at_once(50, lambda number: claims.claim_next(queue=place.queue, person=people[number], now=now))
    owned = [one.item_id for one in taken if one is not None]
    assert sorted(owned) == sorted(items), "one owner each, and no error"
    assert {(row.pk, row.claimed_by_id) for row in Item.objects.all()} == {
        (one.item_id, one.holder_id) for one in taken if one is not None
    }
