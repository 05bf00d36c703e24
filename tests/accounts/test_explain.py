"""What somebody may see, and why: the doors' own answers, told only to those who may know."""

from datetime import datetime
from uuid import uuid4

import pytest
from guardian.models import UserObjectPermission

from accounts.actions.people import deactivate
from accounts.explain import Answer, ask, candidates
from accounts.models import Grant, User
from accounts.reaches import left_over, reached
from accounts.roles import RIGHTS, Right, Role
from review.models import Event, Item
from tests import factories
from tests.factories import Place, give_role, make_item, make_person


@pytest.fixture
def item(place: Place) -> Item:
    return make_item(place)


def asked(asker: User, person: User, address: str, now: datetime) -> Answer:
    return ask(asker=asker, person=person, address=address, now=now)


def test_it_says_yes_and_through_which_role(item: Item, supervisor: User, operator: User, now: datetime) -> None:
    for address in (
        f"/events/{item.event_id}/",
        f"https://desk.example/events/{str(item.event_id).upper()}/?from=list#story",
        str(item.event_id),
    ):
        answer = asked(supervisor, operator, address, now)
        assert answer.opens
        assert answer.because == ("Operator, Yard: may see events and evidence",)


def test_it_says_no_where_no_role_reaches(place: Place, item: Item, supervisor: User, now: datetime) -> None:
    fleet = make_person("fleet", Role.FLEET_ENGINEER, place.site)
    answer = asked(supervisor, fleet, f"/events/{item.event_id}/", now)
    assert (answer.opens, answer.problem) == (False, False)
    assert asked(supervisor, fleet, f"/sources/{place.source.pk}/", now).opens


def test_an_event_that_came_into_no_queue_of_his_stays_shut_for_an_operator(
    place: Place, supervisor: User, operator: User, now: datetime
) -> None:
    passed: Event = factories.post(place, predictions=[], subject=[]).event
    assert not passed.items.exists()
    assert asked(supervisor, supervisor, f"/events/{passed.pk}/", now).opens
    assert asked(supervisor, operator, f"/events/{passed.pk}/", now).opens is False


def test_an_auditor_has_to_say_why_first(place: Place, item: Item, supervisor: User, now: datetime) -> None:
    auditor = make_person("aud", Role.AUDITOR, place.site)
    answer = asked(supervisor, auditor, f"/events/{item.event_id}/", now)
    assert (answer.opens, answer.problem) == (False, False)
    assert "after saying why" in answer.because[0]


def test_what_the_asker_may_not_see_is_as_what_does_not_exist(
    place: Place, elsewhere: Place, supervisor: User, now: datetime
) -> None:
    other = make_item(elsewhere)
    both = make_person("both", Role.OPERATOR, place.site)
    give_role(both, Role.OPERATOR, elsewhere.site)
    kinds = {"events": other.event_id, "queues": elsewhere.queue.pk, "sources": elsewhere.source.pk}
    for kind, pk in kinds.items():
        hidden, unknown = (asked(supervisor, both, f"/{kind}/{one}/", now) for one in (pk, uuid4()))
        assert (hidden.opens, hidden.what, hidden.because) == (unknown.opens, unknown.what, unknown.because)
        assert hidden.opens is None


def test_a_role_that_is_not_the_askers_to_see_is_not_named(
    place: Place, item: Item, supervisor: User, now: datetime
) -> None:
    roams = make_person("roams", Role.SUPERVISOR)
    give_role(roams, Role.AUDITOR, place.site)
    answer = asked(supervisor, roams, f"/queues/{place.queue.pk}/", now)
    assert answer.opens
    assert answer.because == ("Through a role that is not yours to see.",)


def test_a_role_whose_door_stays_shut_is_a_problem(item: Item, supervisor: User, operator: User, now: datetime) -> None:
    UserObjectPermission.objects.filter(user=operator).delete()
    answer = asked(supervisor, operator, f"/events/{item.event_id}/", now)
    assert (answer.opens, answer.problem) == (False, True)


def test_a_deactivated_person_opens_nothing(item: Item, supervisor: User, operator: User, now: datetime) -> None:
    deactivate(person=operator, actor=None, reason="left", now=now)
    answer = asked(supervisor, User.objects.get(pk=operator.pk), f"/events/{item.event_id}/", now)
    assert answer.opens is False
    assert "deactivated" in answer.because[0]


NOTHING = "01890000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "events", "/events/1/", "x" * 5000, "/events/" + "0" * 36, f"/nothing/{NOTHING}", "%00"]
)
def test_what_is_no_address_of_ours_is_nothing(supervisor: User, operator: User, now: datetime, text: str) -> None:
    assert asked(supervisor, operator, text, now).opens is None
    assert candidates("/events/1/") == []


# Each right


@pytest.mark.parametrize("role", list(Role))
def test_each_right_of_a_role_is_told_with_its_reach(place: Place, role: Role, now: datetime) -> None:
    person = make_person("p", role, place.site)
    rows = reached(person, Grant.objects.filter(person=person), now=now)
    assert {row.right for row in rows} == RIGHTS[role]
    assert {way.where for row in rows for way in row.ways} == {"Yard and all of its queues"}
    assert not any(row.shut for row in rows)


def test_doors_that_disagree_with_a_grant_are_named(place: Place, operator: User, now: datetime) -> None:
    grants = Grant.objects.filter(person=operator)
    rows = UserObjectPermission.objects.filter(user=operator, object_pk=str(place.queue.pk))
    rows.filter(permission__codename=Right.REVIEW).delete()
    shut = {row.right: row.shut for row in reached(operator, grants, now=now)}
    assert shut == {Right.SEE_EVENTS: [], Right.REVIEW: ["Yard · yard unsure"]}


def test_permissions_that_no_grant_gives_are_told(place: Place, operator: User, now: datetime) -> None:
    assert left_over(operator, now=now) == []
    row = UserObjectPermission.objects.filter(user=operator).select_related("permission").first()
    assert row is not None
    other = make_person("auditor", Role.AUDITOR, place.site)
    stray = UserObjectPermission.objects.filter(user=other, permission__codename=Right.AUDIT_SITE).first()
    assert stray is not None
    UserObjectPermission.objects.create(
        user=operator, permission=stray.permission, content_type=stray.content_type, object_pk=stray.object_pk
    )
    assert left_over(operator, now=now) == ["read the audit trail"]


def test_a_grant_whose_end_has_passed_explains_what_is_left(place: Place, operator: User, now: datetime) -> None:
    Grant.objects.filter(person=operator).update(ends_at=now)
    assert left_over(operator, now=now) == []
    assert reached(operator, Grant.objects.filter(person=operator), now=now) == []
