"""Verdicts: added once, never changed, and taken back only in time."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.exceptions import Invalid, SecondLookError
from accounts.models import AuditEntry, User
from accounts.roles import Role
from review import schemas
from review.actions import claims, moves
from review.actions.taxonomies import change_class
from review.actions.verdicts import give_verdict, undo
from review.exceptions import AlreadyDecided, ClaimLost, KeyReused, StaleVersion, UndoWindowOver
from review.models import Answer, Claim, Event, Item, Outcome, Retraction, TaxonomyClass, Verdict
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, answer_body, claim, give_answer, make_item, make_person

LEASE = timedelta(seconds=120)
BIRD = {"class": "bird", "index": 1, "box": [10.0, 20.0, 40.0, 50.0], "attributes": {}, "prediction": "p1"}
PERSON = {"class": "person", "index": 0, "box": [100.0, 60.0, 60.0, 120.0], "attributes": {}, "prediction": "p2"}


@pytest.fixture
def taken(place: Place, operator: User) -> Claim:
    make_item(place)
    return claim(place, operator)


def label(**changes: Any) -> dict[str, Any]:
    return {"class": "person", "box": [10, 20, 30, 40]} | changes


# What an answer becomes


@pytest.mark.parametrize(
    "answer,outcome",
    [
        ("confirm", Outcome.CONFIRMED),
        ("correct", Outcome.CORRECTED),
        ("empty", Outcome.EMPTY),
        ("unsure", Outcome.UNSURE),
        ("bad_image", Outcome.BAD_IMAGE),
    ],
)
def test_an_answer_closes_the_item_with_its_outcome(taken: Claim, answer: str, outcome: Outcome) -> None:
    given = give_answer(taken, answer)
    item = Item.objects.get()
    assert (item.state, item.outcome, item.verdict_id) == ("decided", outcome, given.verdict.pk)
    assert (item.claim_id, item.claimed_by, item.version) == (None, None, 2)
    taken.refresh_from_db()
    assert taken.ended == "answered"


def test_confirm_writes_every_prediction_out(taken: Claim) -> None:
    assert give_answer(taken).verdict.labels == [BIRD, PERSON]


def test_confirm_of_the_subject_only_judges_nothing_else(taken: Claim) -> None:
    given = give_answer(taken, complete=False)
    assert given.verdict.labels == [BIRD]
    assert given.verdict.complete is False


def test_confirm_may_repeat_what_it_confirms(taken: Claim) -> None:
    same = [{"class": "bird", "box": [10, 20, 40, 50], "prediction": "p1"}]
    assert give_answer(taken, labels=same).verdict.labels == [BIRD, PERSON]


@pytest.mark.parametrize(
    "labels",
    [
        [label()],
        [label(prediction="p9")],
        [label(prediction="p1", **{"class": "car"})],
        [label(prediction="p2")] * 1 + [label()],
    ],
)
def test_confirm_with_other_labels_is_no_confirmation(taken: Claim, labels: list[dict[str, Any]]) -> None:
    with pytest.raises(Invalid) as refused:
        give_answer(taken, labels=labels)
    assert refused.value.code == "labels_do_not_confirm"
    assert Item.objects.get().state == "open"


def test_correct_keeps_what_was_drawn_beside_what_was_predicted(taken: Claim) -> None:
    drawn = [label(prediction="p1", attributes={"hidden": True}), label(**{"class": "car"})]
    labels = give_answer(taken, "correct", labels=drawn).verdict.labels
    assert labels == [
        label(prediction="p1", attributes={"hidden": True}, index=0),
        {"class": "car", "index": 2, "box": [10.0, 20.0, 30.0, 40.0], "attributes": {}},
    ]
    assert Event.objects.get().predictions[0]["class"] == "bird"


@pytest.mark.parametrize(
    "box,kept",
    [
        ([-10, -10, 30, 30], [0.0, 0.0, 20.0, 20.0]),
        ([300, 200, 100, 100], [300.0, 200.0, 20.0, 40.0]),
        ([0, 0, 1e9, 1e9], [0.0, 0.0, 320.0, 240.0]),
        ([0, 0, 1e-9, 5], [0.0, 0.0, 0.001, 5.0]),
    ],
)
def test_a_box_is_clipped_to_the_frame(taken: Claim, box: list[float], kept: list[float]) -> None:
    assert give_answer(taken, "correct", labels=[label(box=box)]).verdict.labels[0]["box"] == kept


@pytest.mark.parametrize(
    "change,code",
    [
        ({"box": [320, 0, 5, 5]}, "label_outside_frame"),
        ({"box": [-50, 0, 50, 5]}, "label_outside_frame"),
        ({"box": [0, -9, 5, 5]}, "label_outside_frame"),
        ({"class": "unicorn"}, "unknown_class"),
        ({"class": "Person"}, "unknown_class"),
        ({"prediction": "p9"}, "unknown_prediction"),
        ({"box": None}, "box_required"),
        ({"polygon": [[900, 0], [901, 5], [900, 9]]}, "label_outside_frame"),
    ],
)
def test_a_label_that_cannot_be_is_refused(taken: Claim, change: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        give_answer(taken, "correct", labels=[label(**change)])
    assert refused.value.code == code
    assert not Verdict.objects.exists()
    assert Item.objects.get().state == "open"


def test_two_labels_cannot_name_one_prediction(taken: Claim) -> None:
    with pytest.raises(Invalid) as refused:
        give_answer(taken, "correct", labels=[label(prediction="p1"), label(prediction="p1")])
    assert refused.value.code == "unknown_prediction"


def test_a_retired_class_is_no_answer_any_more(taken: Claim, now: datetime) -> None:
    TaxonomyClass.objects.filter(name="car").update(retired_at=now)
    with pytest.raises(Invalid) as refused:
        give_answer(taken, "correct", labels=[label(**{"class": "car"})])
    assert refused.value.code == "unknown_class"


def test_a_polygon_is_clipped_like_a_box(place: Place, operator: User) -> None:
    polygon = [[-5, -5], [400, 10], [50, 300]]
    prediction = {"id": "p1", "class": "bird", "confidence": 0.4, "polygon": polygon}
    make_item(place, task="segmentation", predictions=[prediction])
    kept = [[0.0, 0.0], [320.0, 10.0], [50.0, 240.0]]
    assert give_answer(claim(place, operator)).verdict.labels[0]["polygon"] == kept


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "maybe"},
        {"answer": None},
        {"complete": None},
        {"complete": "yes"},
        {"complete": 1},
        {"key": "x"},
        {"key": 7},
        {"version": 0},
        {"version": "1"},
        {"version": 2**31},
        {"labels": [{"class": "person", "box": [1, 1, 0, 5]}]},
        {"labels": [{"class": "person", "box": [1, 1, float("inf"), 5]}]},
        {"labels": [{"box": [1, 1, 5, 5]}]},
        {"labels": [{"class": "person", "id": 1}]},
        {"note": "a\0b"},
        {"note": "x" * 2001},
        {"seconds": -1},
        {"seconds": "3"},
        {"person": "somebody"},
        {"answer": "empty", "labels": [{"class": "person", "box": [1, 1, 5, 5]}]},
    ],
)
def test_a_body_that_is_no_verdict_is_refused(taken: Claim, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        schemas.read(schemas.VerdictIn, answer_body(taken) | change)
    assert refused.value.code == "schema"


def test_the_highest_version_is_only_stale(taken: Claim) -> None:
    with pytest.raises(StaleVersion):
        give_answer(taken, version=2**31 - 3)


# Effectively once


def test_the_same_submit_again_is_the_same_verdict(taken: Claim) -> None:
    key = str(uuid4())
    first = give_answer(taken, key=key)
    again = give_answer(taken, key=key, version=1, seconds=3.5)
    assert (first.created, again.created, again.verdict) == (True, False, first.verdict)
    assert Verdict.objects.count() == 1
    assert AuditEntry.objects.filter(verb="verdict.given").count() == 1


def test_a_key_stands_for_one_answer(taken: Claim) -> None:
    key = str(uuid4())
    give_answer(taken, key=key)
    with pytest.raises(KeyReused):
        give_answer(taken, "empty", key=key, version=1)


def test_a_key_stands_for_one_item(place: Place, operator: User) -> None:
    make_item(place), make_item(place)
    first, other, key = claim(place, operator), claim(place, operator), str(uuid4())
    give_answer(first, key=key)
    with pytest.raises(KeyReused):
        give_answer(other, key=key)


def test_two_people_may_choose_the_same_key(place: Place, operator: User, second: User) -> None:
    make_item(place), make_item(place)
    key = str(uuid4())
    give_answer(claim(place, operator), key=key)
    assert give_answer(claim(place, second), key=key).created


@pytest.mark.django_db(transaction=True)
def test_ten_double_clicks_at_once_are_one_verdict(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    person = make_person("olu", Role.OPERATOR, place.site)
    make_item(place)
    taken, key = claim(place, person), str(uuid4())
    given = at_once(10, lambda _number: give_answer(taken, key=key))
    assert sorted(one.created for one in given) == [False] * 9 + [True]
    assert len({one.verdict.pk for one in given}) == 1
    assert AuditEntry.objects.filter(verb="verdict.given").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_different_answers_at_once_one_counts(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    person = make_person("olu", Role.OPERATOR, place.site)
    make_item(place)
    taken = claim(place, person)

    def go(number: int) -> str:
        try:
            give_answer(taken, ["confirm", "empty"][number % 2])
        except AlreadyDecided:
            return "refused"
        return "given"

    assert sorted(at_once(8, go)) == ["given"] + ["refused"] * 7
    assert Verdict.objects.count() == 1


# Too late


def test_a_late_answer_counts_if_nobody_else_took_the_item(taken: Claim) -> None:
    assert give_answer(taken, now=timezone.now() + 10 * LEASE).created


def test_a_late_answer_counts_after_the_item_was_given_back(taken: Claim, now: datetime) -> None:
    claims.give_back(claim=taken, now=now)
    assert give_answer(taken).created


def test_a_late_answer_counts_when_the_next_holder_let_it_go_as_well(
    place: Place, operator: User, second: User
) -> None:
    make_item(place)
    start = timezone.now()
    mine = claim(place, operator, start)
    theirs = claim(place, second, start + LEASE)
    given = give_answer(mine, now=start + 3 * LEASE)
    theirs.refresh_from_db()
    assert theirs.ended == "expired"
    undo(verdict=given.verdict, now=start + 3 * LEASE)
    assert Claim.objects.filter(ended_at=None).count() == 1


def test_a_late_answer_is_refused_while_somebody_else_holds_the_item(
    place: Place, operator: User, second: User
) -> None:
    make_item(place)
    start = timezone.now()
    mine = claim(place, operator, start)
    claim(place, second, start + LEASE)
    with pytest.raises(ClaimLost) as refused:
        give_answer(mine, now=start + LEASE)
    assert refused.value.members["current"] == {"state": "open", "version": 1, "outcome": None}
    assert not Verdict.objects.exists()


def test_a_second_answer_is_refused_with_the_first_one_to_see(place: Place, operator: User, second: User) -> None:
    make_item(place)
    start = timezone.now()
    mine = claim(place, operator, start)
    give_answer(claim(place, second, start + LEASE), "empty", now=start + LEASE)
    with pytest.raises(AlreadyDecided) as refused:
        give_answer(mine, now=start + LEASE)
    assert refused.value.members["current"]["outcome"] == "empty"
    assert refused.value.members["current"]["labels"] == []
    assert Verdict.objects.count() == 1


def test_an_answer_to_an_older_version_is_refused(place: Place, operator: User, now: datetime) -> None:
    make_item(place)
    mine = claim(place, operator)
    version = mine.item.version
    moves.escalate(claim=mine, to=None, note="", now=now)
    with pytest.raises(StaleVersion) as refused:
        give_answer(mine, version=version)
    assert refused.value.members["current"]["version"] == version + 1


@pytest.mark.parametrize("whose", ["nobody", "another"])
def test_the_token_must_be_of_a_claim_of_ones_own(place: Place, taken: Claim, second: User, whose: str) -> None:
    token = str(uuid4()) if whose == "nobody" else str(taken.token)
    read = schemas.read(schemas.VerdictIn, answer_body(taken, claim_token=token))
    with pytest.raises(ClaimLost):
        give_verdict(item=taken.item, person=second, answer=read, now=timezone.now())


def test_the_token_of_another_item_proves_nothing(place: Place, operator: User) -> None:
    make_item(place), make_item(place)
    first, other = claim(place, operator), claim(place, operator)
    with pytest.raises(ClaimLost):
        give_answer(first, claim_token=str(other.token))


# Undo


def test_an_undone_item_is_open_again_and_claimed_by_the_same_person(
    place: Place, taken: Claim, second: User, now: datetime
) -> None:
    verdict = give_answer(taken).verdict
    again = undo(verdict=verdict, now=now)
    item = Item.objects.get()
    assert (item.state, item.outcome, item.claimed_by, item.claim_id) == ("open", "", taken.holder, again.pk)
    assert item.version == 3
    assert Retraction.objects.get().verdict == verdict
    assert Verdict.objects.get() == verdict
    assert claims.claim_next(queue=place.queue, person=second, now=now) is None


def test_after_an_undo_another_answer_counts(taken: Claim, now: datetime) -> None:
    again = undo(verdict=give_answer(taken).verdict, now=now)
    assert give_answer(again, "empty").created
    assert Item.objects.get().outcome == "empty"
    assert Verdict.objects.count() == 2


def test_after_the_window_nothing_is_taken_back(taken: Claim) -> None:
    verdict = give_answer(taken).verdict
    with pytest.raises(UndoWindowOver):
        undo(verdict=verdict, now=verdict.final_at)
    assert Item.objects.get().state == "decided"
    undo(verdict=verdict, now=verdict.final_at - timedelta(microseconds=1))


def test_a_verdict_is_taken_back_once(taken: Claim, now: datetime) -> None:
    verdict = give_answer(taken).verdict
    undo(verdict=verdict, now=now)
    with pytest.raises(AlreadyDecided):
        undo(verdict=verdict, now=now)
    assert Retraction.objects.count() == 1


def test_the_older_of_two_verdicts_cannot_be_taken_back(taken: Claim, now: datetime) -> None:
    first = give_answer(taken).verdict
    give_answer(undo(verdict=first, now=now), "empty")
    with pytest.raises(AlreadyDecided):
        undo(verdict=first, now=now)
    assert Item.objects.get().outcome == "empty"


@pytest.mark.django_db(transaction=True)
def test_of_two_undos_at_once_one_counts(at_once: AtOnce) -> None:
    place = factories.make_place("yard", undo_window=timedelta(minutes=5))
    make_item(place)
    verdict = give_answer(claim(place, make_person("olu", Role.OPERATOR, place.site))).verdict

    def go(_number: int) -> bool:
        try:
            return bool(undo(verdict=Verdict.objects.select_related("item", "person").get(), now=timezone.now()))
        except SecondLookError:
            return False

    assert sum(at_once(4, go)) == 1
    assert Retraction.objects.count() == 1
    assert Claim.objects.filter(ended_at=None).count() == 1
    assert verdict.pk == Verdict.objects.get().pk


# Nothing half


def test_the_audit_entry_holds_both_answers(taken: Claim) -> None:
    give_answer(taken, "correct", labels=[label(prediction="p1")], seconds=4.5)
    entry = AuditEntry.objects.get(verb="verdict.given")
    assert entry.actor == taken.holder
    assert entry.additional_data["predicted"] == [["bird", 0.42]]
    assert entry.additional_data["labelled"] == ["person"]
    assert entry.additional_data["seconds"] == 4.5
    assert entry.site_id == taken.item.site_id


@pytest.mark.django_db(transaction=True)
def test_a_verdict_whose_audit_entry_fails_is_not_given(monkeypatch: pytest.MonkeyPatch, broadcasts: list[str]) -> None:
    place = factories.make_place("yard")
    make_item(place)
    taken = claim(place, make_person("olu", Role.OPERATOR, place.site))
    broadcasts.clear()

    def fail(*_args: Any, **_facts: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("review.actions.verdicts.audit.record", fail)
    with pytest.raises(RuntimeError):
        give_answer(taken)
    item = Item.objects.get()
    assert (item.state, item.claim_id, Verdict.objects.count()) == ("open", taken.pk, 0)
    assert broadcasts == []


def test_the_database_knows_what_a_verdict_is(taken: Claim, now: datetime) -> None:
    whole = {
        "item": taken.item,
        "person": taken.holder,
        "claim": taken,
        "digest": "d",
        "item_version": 1,
        "complete": True,
        "created_at": now,
        "final_at": now,
    }
    Verdict.objects.create(key=uuid4(), answer=Answer.CONFIRM, **whole)
    for change in ({"complete": None}, {"answer": "perhaps"}, {"answer": ""}):
        with pytest.raises(IntegrityError, match="verdict_"), transaction.atomic():
            Verdict.objects.create(**whole | {"key": uuid4(), "answer": Answer.CORRECT} | change)
    Verdict.objects.create(key=uuid4(), answer=Answer.UNSURE, **whole | {"complete": None})


def test_one_retraction_per_verdict_is_the_databases_own_rule(taken: Claim, now: datetime) -> None:
    verdict = give_answer(taken).verdict
    Retraction.objects.create(verdict=verdict, person=taken.holder, created_at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Retraction.objects.create(verdict=verdict, person=taken.holder, created_at=now)


def cost(taken: Claim) -> int:
    with CaptureQueriesContext(connection) as queries:
        give_answer(taken)
    return len(queries)


def test_a_verdict_costs_the_same_however_much_waits(place: Place, operator: User) -> None:
    for _number in range(2):
        make_item(place)
    few = cost(claim(place, operator))
    for _number in range(20):
        make_item(place)
    assert cost(claim(place, operator)) == few


# Labels as answers show them


def test_a_label_may_be_sent_back_as_it_came(place: Place, operator: User) -> None:
    """ADR 0018: what is stored carries the index, and an index that agrees says nothing new."""
    make_item(place), make_item(place)
    confirmed = give_answer(claim(place, operator), "confirm").verdict
    again = give_answer(claim(place, operator), "correct", labels=confirmed.labels).verdict
    assert again.labels == confirmed.labels == [BIRD, PERSON]


def test_a_confirmation_may_name_the_index(taken: Claim) -> None:
    assert give_answer(taken, "confirm", labels=[BIRD | {"box": None}]).verdict.labels == [BIRD, PERSON]


@pytest.mark.parametrize("answer", ["confirm", "correct"])
def test_an_index_of_another_class_is_refused_with_its_place(taken: Claim, answer: str) -> None:
    with pytest.raises(Invalid) as refused:
        give_answer(taken, answer, labels=[PERSON, BIRD | {"index": 0}])
    assert refused.value.code == "index_mismatch"
    assert [fault["path"] for fault in refused.value.members["errors"]] == ["$.labels[1].index"]
    assert not Verdict.objects.exists()


@pytest.mark.parametrize("index", [-1, 2**31, 1.0, "1", True])
def test_an_index_is_a_whole_number(taken: Claim, index: Any) -> None:
    with pytest.raises(Invalid) as refused:
        give_answer(taken, "correct", labels=[BIRD | {"index": index}])
    assert refused.value.code == "schema"


def test_after_a_rename_the_index_is_still_that_of_the_class(place: Place, taken: Claim, supervisor: User) -> None:
    bird = TaxonomyClass.objects.get(name="bird")
    renamed = {"name": "fowl", "key": "", "colour": 1}
    change_class(taxonomy=place.taxonomy, pk=bird.pk, person=supervisor, now=timezone.now(), **renamed)
    given = give_answer(taken, "correct", labels=[BIRD])
    assert (given.verdict.labels[0]["class"], given.verdict.labels[0]["index"]) == ("fowl", 1)


def test_the_same_answer_with_and_without_its_indexes_is_a_repeat(taken: Claim) -> None:
    key, bare = str(uuid4()), {name: value for name, value in BIRD.items() if name != "index"}
    first = give_answer(taken, "correct", labels=[bare], key=key)
    again = give_answer(taken, "correct", labels=[BIRD], key=key)
    assert (first.created, again.created, again.verdict) == (True, False, first.verdict)
