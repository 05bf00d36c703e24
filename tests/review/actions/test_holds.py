"""Held events: who may answer, who wins, and what a machine is told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions import claims, duties, holds, moves
from review.actions.held_claims import take_held
from review.actions.sequencer import sequence_outcomes
from review.actions.verdicts import undo
from review.exceptions import AlreadyDecided, ClaimLost, UndoWindowOver
from review.held_figures import held_figures
from review.models import Claim, Duty, Hold, HoldState, Item, Outcome, Queue, SequencedOutcome, Verdict
from review.urgent import urgent_items
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, give_answer, make_item, make_person, post

HOLD = {"deadline_s": 8, "fallback": "reject"}
CONFIDENT = [{"id": "p1", "class": "person", "confidence": 0.9, "box": [1, 1, 5, 5]}]


@pytest.fixture
def held(place: Place, now: datetime) -> Item:
    return post(place, now=now, hold=HOLD).event.items.get()


@pytest.fixture
def colleague(place: Place) -> User:
    return make_person("col", Role.OPERATOR, place.site)


def hold_of(item: Item) -> Hold:
    return Hold.objects.get(event=item.event)


def test_pages_are_told_that_a_machine_waits_and_that_it_waits_no_longer(
    place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("accounts.broadcast.send", lambda group, message: told.append((group, message.get("held"))))
    queue = f"queue.{place.queue.pk}"
    with django_capture_on_commit_callbacks(execute=True):
        post(place, now=now)
    assert (queue, None) in told
    assert (queue, True) not in told
    for act in (lambda: post(place, now=now, hold=HOLD), lambda: holds.expire_due(now=now + timedelta(hours=1))):
        told.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        assert (queue, True) in told


def test_the_deadline_counts_from_receipt(held: Item, now: datetime) -> None:
    hold = hold_of(held)
    assert (hold.state, hold.fallback, hold.deadline_at) == (HoldState.WAITING, "reject", now + timedelta(seconds=8))
    assert (held.held_until, held.due_at) == (hold.deadline_at, hold.deadline_at)


def test_the_same_event_again_does_not_move_the_deadline(place: Place, now: datetime) -> None:
    from review import schemas
    from review.actions.intake import take_in

    body = factories.event_body(hold=HOLD)
    posted = schemas.read(schemas.EventIn, body)
    for at in (now, now + timedelta(seconds=5)):
        taken = take_in(source=place.source, posted=posted, body=body, files={}, now=at)
    assert not taken.created
    assert Hold.objects.get().deadline_at == now + timedelta(seconds=8)


@pytest.mark.parametrize("changes", [{"predictions": CONFIDENT}, {"model": {"name": "nobody", "version": "1"}}])
def test_a_machine_need_not_wait_when_nobody_will_look(place: Place, changes: dict[str, Any]) -> None:
    event = post(place, hold=HOLD, **changes).event
    assert Hold.objects.get(event=event).state == HoldState.WITHDRAWN
    assert not event.items.exists()


def test_a_held_item_comes_first_and_is_never_claimed_ahead(
    held: Item, place: Place, operator: User, now: datetime
) -> None:
    urgent = make_item(place)
    Item.objects.filter(pk=urgent.pk).update(priority=1)
    ahead = claims.claim_next(queue=place.queue, person=operator, now=now, ahead=True)
    assert ahead is not None
    assert ahead.item_id == urgent.pk
    first = claims.claim_next(queue=place.queue, person=operator, now=now)
    assert first is not None
    assert (first.item_id, first.shared) == (held.pk, True)
    assert claims.claim_next(queue=place.queue, person=operator, now=now) is None


def test_everybody_on_duty_has_it_and_the_first_answer_wins(
    held: Item, place: Place, operator: User, colleague: User, now: datetime
) -> None:
    mine, other = (factories.claim(place, person, now) for person in (operator, colleague))
    assert mine.item_id == other.item_id == held.pk
    claims.heartbeat(claim=other, now=now)
    given = give_answer(mine, "empty", now=now).verdict
    hold = hold_of(held)
    assert (hold.state, hold.verdict, hold.resolved_at) == (HoldState.ANSWERED, given, now)
    with pytest.raises(AlreadyDecided):
        give_answer(other, now=now)
    other.refresh_from_db()
    assert other.ended == "overtaken"
    with pytest.raises(ClaimLost):
        claims.heartbeat(claim=Claim.objects.get(pk=other.pk), now=now)


def test_its_verdict_acts_at_once_and_cannot_be_undone(held: Item, place: Place, operator: User, now: datetime) -> None:
    given = give_answer(factories.claim(place, operator, now), now=now).verdict
    assert given.final_at == now
    with pytest.raises(UndoWindowOver):
        undo(verdict=given, now=now)
    sequence_outcomes(now=now)
    assert SequencedOutcome.objects.filter(verdict=given).exists()
    assert AuditEntry.objects.get(verb="verdict.given").additional_data["held"] == "acted"


def test_a_late_answer_is_a_label_and_does_not_act(held: Item, place: Place, operator: User, now: datetime) -> None:
    claim = factories.claim(place, operator, now)
    late = now + timedelta(seconds=9)
    given = give_answer(claim, now=late).verdict
    held.refresh_from_db()
    assert held.outcome == Outcome.CONFIRMED
    assert given.final_at == late + place.queue.undo_window
    assert holds.settle(hold=hold_of(held), now=late).state == HoldState.EXPIRED
    assert AuditEntry.objects.get(verb="verdict.given").additional_data["held"] == "late"


def test_what_a_machine_was_told_is_never_contradicted(held: Item, place: Place, operator: User, now: datetime) -> None:
    """The clock of the one who answers may be behind that of the one who asked."""
    claim = factories.claim(place, operator, now)
    assert holds.settle(hold=hold_of(held), now=now + timedelta(seconds=8)).state == HoldState.EXPIRED
    given = give_answer(claim, now=now + timedelta(seconds=7)).verdict
    assert given.final_at > now + timedelta(seconds=7)
    assert hold_of(held).state == HoldState.EXPIRED


def test_the_sweep_expires_once_and_says_so(held: Item, place: Place, now: datetime, broadcasts: list[str]) -> None:
    late = now + timedelta(seconds=8)
    assert holds.expire_due(now=now) == 0
    assert holds.expire_due(now=late) == 1
    assert holds.expire_due(now=late) == 0
    entry = AuditEntry.objects.get(verb="hold.expired")
    assert entry.additional_data["fallback"] == "reject"
    assert held_figures([place.queue], late)[place.queue.pk].expired == 1


def test_after_the_deadline_one_person_has_it_alone(
    held: Item, place: Place, operator: User, colleague: User, now: datetime
) -> None:
    mine, other = (factories.claim(place, person, now) for person in (operator, colleague))
    late = now + timedelta(seconds=9)
    claims.heartbeat(claim=mine, now=late)
    with pytest.raises(ClaimLost):
        claims.heartbeat(claim=Claim.objects.get(pk=other.pk), now=late)
    assert claims.claim_next(queue=place.queue, person=colleague, now=late) is None
    held.refresh_from_db()
    assert held.claim_id == mine.pk


def test_it_can_be_put_off_and_handed_up_like_others(
    held: Item, place: Place, operator: User, colleague: User, now: datetime
) -> None:
    moves.skip(claim=factories.claim(place, operator, now), until=now + timedelta(minutes=10), now=now)
    assert take_held(queue=place.queue, person=operator, now=now) is None
    other = make_queue(place, now)
    moves.escalate(claim=factories.claim(place, colleague, now), to=other, note="look", now=now)
    assert hold_of(held).queue == other
    assert take_held(queue=place.queue, person=colleague, now=now) is None


def test_a_clock_that_is_behind_does_not_take_an_answer_back(
    held: Item, place: Place, operator: User, now: datetime
) -> None:
    given = give_answer(factories.claim(place, operator, now), now=now).verdict
    with pytest.raises(UndoWindowOver):
        undo(verdict=given, now=now - timedelta(seconds=1))


def test_a_claim_that_was_overtaken_moves_nothing(
    held: Item, place: Place, operator: User, colleague: User, now: datetime
) -> None:
    other = make_queue(place, now)
    mine, theirs = (factories.claim(place, person, now) for person in (operator, colleague))
    moves.escalate(claim=mine, to=other, note="look", now=now)
    for claim in (mine, theirs):
        fresh = Claim.objects.select_related("item__queue").get(pk=claim.pk)
        with pytest.raises(ClaimLost):
            moves.escalate(claim=fresh, to=place.queue, note="again", now=now)
    held.refresh_from_db()
    assert held.queue == other


def test_after_the_deadline_nobody_moves_what_one_person_has_alone(
    held: Item, place: Place, operator: User, colleague: User, now: datetime
) -> None:
    other = make_queue(place, now)
    mine = factories.claim(place, operator, now)
    late = now + timedelta(seconds=9)
    alone = claims.claim_next(queue=place.queue, person=colleague, now=late)
    assert alone is not None
    assert (alone.item_id, alone.shared) == (held.pk, False)
    with pytest.raises(ClaimLost):
        moves.escalate(claim=mine, to=other, note="look", now=late)
    mine.refresh_from_db()
    assert mine.ended == "overtaken"
    give_answer(alone, now=late)


def make_queue(place: Place, now: datetime) -> Queue:
    from review.actions.setup import create_queue

    return create_queue(site=place.site, slug="front", name="Front", taxonomy=place.taxonomy, maker=None, now=now)


def test_duty_is_seen_and_ends_by_itself(held: Item, place: Place, operator: User, now: datetime) -> None:
    def figures(at: datetime) -> Any:
        return held_figures([place.queue], at)[place.queue.pk]

    assert figures(now).unattended
    duties.report(queue=place.queue, person=operator, now=now)
    duties.report(queue=place.queue, person=operator, now=now)
    assert Duty.objects.count() == 1
    assert (figures(now).on_duty, figures(now).unattended) == (1, False)
    assert figures(now + duties.LASTS).on_duty == 0


def test_a_locked_screen_calls_for_it(held: Item, place: Place, operator: User, now: datetime) -> None:
    assert urgent_items(operator, now).at_risk == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "answered"},
        {"state": "waiting", "resolved_at": timezone.now()},
        {"state": "expired"},
        {"state": "surprise", "resolved_at": timezone.now()},
    ],
)
def test_the_database_refuses_half_a_state(held: Item, broken: dict[str, Any]) -> None:
    if broken == {"state": "waiting", "resolved_at": broken.get("resolved_at")}:
        assert hold_of(held).resolved_at is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.filter(event=held.event).update(**broken)


@pytest.mark.django_db(transaction=True)
def test_of_verdict_and_deadline_exactly_one_wins(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    people = [make_person(f"p{number}", Role.OPERATOR, place.site) for number in range(3)]
    for _round in range(5):
        now = timezone.now()
        item = post(place, now=now, hold=HOLD).event.items.get()
        taken = [factories.claim(place, person, now) for person in people]

        def act(number: int, item: Item = item, taken: list[Claim] = taken, now: datetime = now) -> str:
            late = now + timedelta(seconds=8)
            if number == 3:
                return str(holds.settle(hold=hold_of(item), now=late).state)
            try:
                give_answer(taken[number], "empty", now=late - timedelta(milliseconds=1))
            except (AlreadyDecided, ClaimLost):
                return "lost"
            return "given"

        outcomes = at_once(4, act)
        hold = hold_of(item)
        assert outcomes[:3].count("given") == 1
        assert outcomes[3] == hold.state
        assert (hold.state == HoldState.ANSWERED) == (hold.verdict_id is not None)
        acted = Verdict.objects.get(item=item).final_at < now + timedelta(seconds=8)
        assert acted is (hold.state == HoldState.ANSWERED)
