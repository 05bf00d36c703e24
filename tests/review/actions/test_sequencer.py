"""The feed of outcomes: in order, each once, none that was taken back, none that is missed."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.exceptions import SecondLookError
from accounts.models import User
from accounts.roles import Role
from review.actions import sequencer
from review.actions.verdicts import undo
from review.models import Claim, SequencedOutcome, Verdict
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, bearer, claim, give_answer, make_item, make_person, make_token

LATER = timedelta(hours=1)


def answers(place: Place, person: User, count: int) -> list[Verdict]:
    for _number in range(count):
        make_item(place)
    return [give_answer(claim(place, person)).verdict for _number in range(count)]


def test_a_verdict_gets_its_number_when_it_can_no_longer_be_undone(place: Place, operator: User) -> None:
    verdict = answers(place, operator, 1)[0]
    assert sequencer.sequence_outcomes(now=verdict.final_at - timedelta(microseconds=1)) == 0
    assert sequencer.sequence_outcomes(now=verdict.final_at) == 1
    assert sequencer.sequence_outcomes(now=verdict.final_at + LATER) == 0


def test_numbers_follow_the_end_of_the_undo_window(place: Place, operator: User) -> None:
    given = answers(place, operator, 4)
    for verdict, minutes in zip(given, (3, 1, 4, 2), strict=True):
        Verdict.objects.filter(pk=verdict.pk).update(final_at=verdict.created_at + timedelta(minutes=minutes))
    sequencer.sequence_outcomes(now=timezone.now() + LATER)
    numbered = list(SequencedOutcome.objects.order_by("id").values_list("verdict", flat=True))
    assert numbered == [given[place].pk for place in (1, 3, 0, 2)]


def test_what_was_taken_back_never_gets_a_number(place: Place, operator: User) -> None:
    verdict = answers(place, operator, 1)[0]
    undo(verdict=verdict, now=timezone.now())
    assert sequencer.sequence_outcomes(now=timezone.now() + LATER) == 0


def test_what_has_its_number_is_never_taken_back(place: Place, operator: User) -> None:
    verdict = answers(place, operator, 1)[0]
    sequencer.sequence_outcomes(now=timezone.now() + LATER)
    with pytest.raises(SecondLookError) as refused:
        undo(verdict=verdict, now=timezone.now())
    assert refused.value.code == "undo_window_over"
    verdict.item.refresh_from_db()
    assert verdict.item.state == "decided"


def test_more_than_a_batch_is_numbered_in_one_call(
    place: Place, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 2)
    answers(place, operator, 5)
    assert sequencer.sequence_outcomes(now=timezone.now() + LATER) == 5


def test_a_late_one_comes_behind_what_was_read(place: Place, operator: User) -> None:
    first, late = answers(place, operator, 2)
    Verdict.objects.filter(pk=late.pk).update(final_at=timezone.now() + 2 * LATER)
    sequencer.sequence_outcomes(now=timezone.now() + LATER)
    cursor = SequencedOutcome.objects.get(verdict=first).pk
    Verdict.objects.filter(pk=late.pk).update(final_at=first.final_at - LATER)
    sequencer.sequence_outcomes(now=timezone.now() + LATER)
    assert SequencedOutcome.objects.get(verdict=late).pk > cursor


@pytest.mark.django_db(transaction=True)
def test_several_sequencers_at_once_number_each_once(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    given = answers(place, make_person("olu", Role.OPERATOR, place.site), 8)
    now = timezone.now() + LATER
    assert sum(at_once(4, lambda _number: sequencer.sequence_outcomes(now=now))) == 8
    assert SequencedOutcome.objects.count() == len(given)


@pytest.mark.django_db(transaction=True)
def test_an_undo_and_the_sequencer_at_once_never_both_win(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    person = make_person("olu", Role.OPERATOR, place.site)
    for _round in range(6):
        verdict = answers(place, person, 1)[0]

        def go(number: int, verdict: Verdict = verdict) -> bool:
            try:
                if number:
                    return bool(sequencer.sequence_outcomes(now=verdict.final_at))
                return bool(undo(verdict=verdict, now=verdict.created_at))
            except SecondLookError:
                return False

        assert sum(at_once(2, go)) >= 1
        verdict = Verdict.objects.select_related("retraction", "sequenced").get(pk=verdict.pk)
        assert hasattr(verdict, "retraction") != hasattr(verdict, "sequenced")
        if hasattr(verdict, "retraction"):
            give_answer(Claim.objects.select_related("item").get(holder=person, ended_at=None))


# The feed


def test_the_feed_shows_every_outcome_once_in_order(place: Place, operator: User) -> None:
    answers(place, operator, 5)
    sequencer.sequence_outcomes(now=timezone.now() + LATER)
    client = Client(**bearer(make_token(operator)))
    seen: list[dict[str, str]] = []
    after = ""
    while found := client.get(f"/api/v1/verdicts?after={after}&limit=2").json()["results"]:
        seen += found
        after = found[-1]["cursor"]
    assert len({row["event_id"] for row in seen}) == 5
    assert [int(row["cursor"]) for row in seen] == sorted(int(row["cursor"]) for row in seen)
    assert set(seen[0]) == {"cursor", "event_id", "source", "id", "outcome", "labels", "at"}


def test_a_source_reads_the_outcomes_of_its_own_events(place: Place, operator: User, elsewhere: Place) -> None:
    answers(place, operator, 2)
    sequencer.sequence_outcomes(now=timezone.now() + LATER)
    assert len(Client(**bearer(place.token)).get("/api/v1/verdicts").json()["results"]) == 2
    assert Client(**bearer(elsewhere.token)).get("/api/v1/verdicts").json()["results"] == []


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 19, "٣", "1;drop"])
def test_a_cursor_of_somebody_else_is_refused(operator: User, after: str) -> None:
    answer = Client(**bearer(make_token(operator))).get("/api/v1/verdicts", {"after": after})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")
