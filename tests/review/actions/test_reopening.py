"""A final answer is opened again: by whom, when not, and what of it stays."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions import claims
from review.actions.reopening import reopen
from review.actions.sequencer import sequence_outcomes
from review.exceptions import AlreadyDecided
from review.models import Item, Queue, Reopening, SequencedOutcome, Verdict
from tests.factories import Place, claim, give_answer, make_item, make_person, sign_in

LATER = timedelta(minutes=10)


@pytest.fixture
def answered(place: Place, operator: User, now: datetime) -> Verdict:
    make_item(place)
    return give_answer(claim(place, operator, now), now=now).verdict


def test_it_comes_back_to_who_opened_it_and_is_answered_anew(
    place: Place, operator: User, second: User, answered: Verdict, now: datetime
) -> None:
    then = now + LATER
    assert sequence_outcomes(now=then) == 1
    item = reopen(verdict=answered, person=operator, reason=" it was a bird ", now=then)
    assert (item.state, item.outcome, item.priority) == ("open", "", 1)
    assert claims.claim_next(queue=place.queue, person=second, now=then) is None
    again = give_answer(claim(place, operator, then), "empty", now=then).verdict
    item.refresh_from_db()
    assert (item.outcome, item.verdict_id) == ("empty", again.pk)
    assert sequence_outcomes(now=then + LATER) == 1
    feed = list(SequencedOutcome.objects.order_by("pk").values_list("verdict", flat=True))
    assert feed == [answered.pk, again.pk], "what has left stays, and the new answer follows it"
    assert Reopening.objects.get().reason == "it was a bird"
    entry = AuditEntry.objects.get(verb="verdict.reopened").additional_data or {}
    assert (entry["by"], entry["reason"]) == (str(operator), "it was a bird")


def test_what_was_opened_again_before_it_was_numbered_never_leaves(
    operator: User, answered: Verdict, now: datetime
) -> None:
    reopen(verdict=answered, person=operator, reason="a slip", now=now + LATER)
    assert sequence_outcomes(now=now + LATER) == 0


def test_after_a_while_anybody_may_answer_it(
    place: Place, operator: User, second: User, answered: Verdict, now: datetime
) -> None:
    reopen(verdict=answered, person=operator, reason="a slip", now=now + LATER)
    assert claim(place, second, now + timedelta(hours=1)).item == answered.item


def test_within_the_undo_window_it_is_undone_instead(operator: User, answered: Verdict, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        reopen(verdict=answered, person=operator, reason="a slip", now=now)
    assert refused.value.code == "not_final"


@pytest.mark.parametrize(("reason", "code"), [("  ", "reason_required"), ("x" * 301, "reason_too_long")])
def test_it_is_said_why(operator: User, answered: Verdict, now: datetime, reason: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        reopen(verdict=answered, person=operator, reason=reason, now=now + LATER)
    assert refused.value.code == code
    assert Item.objects.get().state == "decided"


def test_an_answer_is_opened_again_once(operator: User, answered: Verdict, now: datetime) -> None:
    reopen(verdict=answered, person=operator, reason="a slip", now=now + LATER)
    with pytest.raises(AlreadyDecided):
        reopen(verdict=answered, person=operator, reason="a slip", now=now + LATER)
    assert Reopening.objects.count() == 1


def passed(verdict: Verdict) -> Verdict:
    """The same verdict, as if its window had been over for long."""
    Verdict.objects.filter(pk=verdict.pk).update(final_at=verdict.created_at - LATER)
    verdict.refresh_from_db()
    return verdict


def test_my_answers_lists_mine_and_opens_one_again(client, place: Place, operator: User, answered: Verdict) -> None:
    passed(answered)
    sign_in(client, operator)
    page = client.get(reverse("my-answers"))
    address = reverse("verdict-reopen", args=[answered.pk])
    assert address in page.content.decode()
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": ""}).status_code == 422
    answer = client.post(address, {"reason": "it was a bird"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("desk", args=[place.queue.pk]))
    assert "taken back" in client.get(reverse("my-answers")).content.decode()


def test_a_queue_may_keep_it_to_its_supervisors(client, place: Place, operator: User, answered: Verdict) -> None:
    passed(answered)
    Queue.objects.filter(pk=place.queue.pk).update(allows_reopening=False)
    address = reverse("verdict-reopen", args=[answered.pk])
    sign_in(client, operator)
    assert address not in client.get(reverse("my-answers")).content.decode()
    assert client.post(address, {"reason": "a slip"}).status_code == 403
    sign_in(client, make_person("steering", Role.SUPERVISOR, place.site))
    assert client.post(address, {"reason": "his slip"}).status_code == 302
    assert Item.objects.get().state == "open"


def test_another_sites_answer_does_not_exist(client, elsewhere: Place, answered: Verdict) -> None:
    passed(answered)
    sign_in(client, make_person("far", Role.SUPERVISOR, elsewhere.site))
    assert client.post(reverse("verdict-reopen", args=[answered.pk]), {"reason": "x"}).status_code == 404
