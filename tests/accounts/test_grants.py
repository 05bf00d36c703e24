"""Grants are the truth, guardian's permissions follow, and nobody hands out more than he holds."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from guardian.models import UserObjectPermission
from guardian.shortcuts import get_perms

from accounts.access import permitted, reach, roles_of
from accounts.actions.grants import give, take_back
from accounts.actions.permissions import derive
from accounts.exceptions import Conflict, Invalid, Refused, SecondLookError
from accounts.models import AuditEntry, Grant, User
from accounts.models.grant import Scope
from accounts.roles import RIGHTS, Right, Role
from inference.access import sites_for
from inference.models import Site
from review.access import queues_for
from review.actions.setup import create_queue
from review.models import Queue
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, give_role, make_person


@pytest.fixture
def boss(place: Place) -> User:
    """The administrator of everything."""
    return make_person("boss", Role.ADMINISTRATOR)


def permissions(person: User) -> set[tuple[str, str]]:
    rows = UserObjectPermission.objects.filter(user=person).select_related("permission")
    return {(row.permission.codename, row.object_pk) for row in rows}


# What a grant gives


@pytest.mark.parametrize("role", list(Role))
def test_a_site_grant_gives_its_rights_on_the_site_and_its_queues(place: Place, elsewhere: Place, role: Role) -> None:
    person = make_person("p", role, place.site)
    here = {str(place.site.pk), str(place.queue.pk)}
    assert permissions(person) == {(right.value, pk) for right in RIGHTS[role] for pk in here}
    for right in Right:
        assert sites_for(person, right).exists() == (right in RIGHTS[role])
        assert elsewhere.site not in sites_for(person, right)
    assert {group.name for group in person.groups.all()} == {role.value}


def test_a_queue_grant_gives_nothing_on_the_site(place: Place) -> None:
    person = make_person("p")
    give_role(person, Role.OPERATOR, queue=place.queue)
    assert get_perms(person, place.site) == []
    assert list(queues_for(person, Right.REVIEW)) == [place.queue]
    assert not sites_for(person, Right.SEE_EVENTS).exists()


def test_a_grant_everywhere_reaches_what_is_made_later(place: Place, now: datetime) -> None:
    person = make_person("p", Role.OPERATOR)
    later = factories.make_place("later")
    queue = create_queue(site=place.site, slug="new", name="New", taxonomy=place.taxonomy, maker=None, now=now)
    assert {queue, later.queue, place.queue} == set(queues_for(person, Right.REVIEW))


def test_a_site_grant_reaches_a_queue_made_later(place: Place, now: datetime) -> None:
    person = make_person("p", Role.OPERATOR, place.site)
    queue = create_queue(site=place.site, slug="new", name="New", taxonomy=place.taxonomy, maker=None, now=now)
    assert queue in queues_for(person, Right.REVIEW)


def test_rights_of_two_roles_add_up_and_go_one_by_one(place: Place, boss: User, now: datetime) -> None:
    person = make_person("p", Role.OPERATOR, place.site)
    second = give_role(person, Role.ML_ENGINEER, place.site)
    assert roles_of(person) == {Role.OPERATOR, Role.ML_ENGINEER}
    take_back(grant=second, taker=boss, reason="moved on", now=now)
    assert roles_of(person) == {Role.OPERATOR}
    assert {name for name, _pk in permissions(person)} == {right.value for right in RIGHTS[Role.OPERATOR]}


# When it ends


def test_the_end_of_a_grant_closes_by_itself(place: Place) -> None:
    person, end = make_person("p"), timezone.now() + timedelta(hours=1)
    grant = give_role(person, Role.OPERATOR, place.site, ends_at=end)
    assert queues_for(person, Right.REVIEW).exists()
    assert reach(person, Right.REVIEW, now=end - timedelta(microseconds=1))
    assert not reach(person, Right.REVIEW, now=end)
    Grant.objects.filter(pk=grant.pk).update(ends_at=timezone.now())
    assert permissions(person), "guardian still says yes"
    assert not queues_for(person, Right.REVIEW).exists()


def test_permissions_without_a_grant_open_nothing(place: Place) -> None:
    person = make_person("p", Role.OPERATOR, place.site)
    Grant.objects.filter(person=person).update(revoked_at=timezone.now())
    assert permissions(person)
    assert not queues_for(person, Right.REVIEW).exists()


def test_a_grant_without_permissions_opens_nothing(place: Place) -> None:
    person = make_person("p", Role.OPERATOR, place.site)
    UserObjectPermission.objects.all().delete()
    assert reach(person, Right.REVIEW)
    assert not queues_for(person, Right.REVIEW).exists()
    derive(person, now=timezone.now())
    assert queues_for(person, Right.REVIEW).exists()


def test_a_deactivated_person_has_no_rights(place: Place) -> None:
    person = make_person("p", Role.OPERATOR, place.site)
    person.is_active = False
    assert not reach(person, Right.REVIEW)
    assert not permitted(person, Right.REVIEW, Site.objects.all()).exists()
    assert roles_of(person) == set()


def test_a_superuser_without_a_grant_has_no_rights(place: Place) -> None:
    person = User.objects.create_superuser("root", password="x")
    for right in Right:
        assert not reach(person, right)
        assert not sites_for(person, right).exists()
        assert not queues_for(person, right).exists()


def test_guardian_alone_says_no_to_superusers_and_to_rights_on_the_whole_model(place: Place) -> None:
    root, member = User.objects.create_superuser("root", password="x"), make_person("member")
    codename = Right.SEE_EVENTS.value
    everything = Permission.objects.filter(codename=codename)
    member.user_permissions.set(everything)
    group = Group.objects.create(name="all")
    group.permissions.set(everything)
    member.groups.add(group)
    for person in (root, member):
        fresh = User.objects.get(pk=person.pk)
        assert fresh.has_perm(f"inference.{codename}")
        assert not permitted(fresh, Right.SEE_EVENTS, Site.objects.all()).exists()
        assert not permitted(fresh, Right.SEE_EVENTS, Queue.objects.all()).exists()


def test_an_ended_grant_can_be_given_again(place: Place, boss: User) -> None:
    person, end = make_person("p"), timezone.now() + timedelta(hours=1)
    give_role(person, Role.OPERATOR, place.site, ends_at=end)
    later = end + timedelta(days=1)
    give(
        person=person,
        role=Role.OPERATOR,
        scope=Scope.SITE,
        scope_id=place.site.pk,
        reason="back",
        giver=boss,
        now=later,
    )
    assert Grant.objects.live(later).filter(person=person).count() == 1
    assert Grant.objects.get(person=person, revoked_at=end).ends_at == end


# Who may give


@pytest.mark.parametrize(
    "giver_role,allowed",
    [
        (Role.OPERATOR, set()),
        (Role.ML_ENGINEER, set()),
        (Role.FLEET_ENGINEER, set()),
        (Role.AUDITOR, set()),
        (Role.SUPERVISOR, {Role.OPERATOR}),
        (Role.ADMINISTRATOR, set(Role)),
    ],
)
def test_nobody_gives_more_than_he_may(place: Place, elsewhere: Place, giver_role: Role, allowed: set[Role]) -> None:
    giver = make_person("giver", giver_role, place.site)
    scopes: list[tuple[Scope, Any, bool]] = [
        (Scope.SITE, place.site.pk, True),
        (Scope.QUEUE, place.queue.pk, True),
        (Scope.SITE, elsewhere.site.pk, False),
        (Scope.QUEUE, elsewhere.queue.pk, False),
        (Scope.EVERYWHERE, None, False),
    ]
    for role in Role:
        for scope, pk, within in scopes:
            person = make_person(uuid4().hex)
            asked = {"person": person, "role": role, "scope": scope, "scope_id": pk, "reason": "x"}
            if within and role in allowed:
                assert give(**asked, giver=giver, now=timezone.now()).granted_by == giver
                continue
            with pytest.raises(Refused):
                give(**asked, giver=giver, now=timezone.now())
            assert not person.grants.exists()


def test_nobody_gives_himself_more(place: Place, supervisor: User) -> None:
    with pytest.raises(Refused):
        give(
            person=supervisor,
            role=Role.ADMINISTRATOR,
            scope=Scope.SITE,
            scope_id=place.site.pk,
            reason="x",
            giver=supervisor,
            now=timezone.now(),
        )


def test_a_supervisor_takes_back_operators_only(place: Place, supervisor: User, operator: User, now: datetime) -> None:
    take_back(grant=operator.grants.get(), taker=supervisor, reason="left", now=now)
    other = make_person("m", Role.ML_ENGINEER, place.site)
    with pytest.raises(Refused):
        take_back(grant=other.grants.get(), taker=supervisor, reason="left", now=now)


@pytest.mark.parametrize(
    "change,code",
    [
        ({"reason": "  "}, "reason_required"),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "end_in_the_past"),
        ({"scope_id": uuid4()}, "unknown_scope"),
        ({"scope": Scope.QUEUE, "scope_id": uuid4()}, "unknown_scope"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(place: Place, boss: User, change: dict[str, Any], code: str) -> None:
    asked: dict[str, Any] = {"scope": Scope.SITE, "scope_id": place.site.pk, "reason": "x"} | change
    with pytest.raises(Invalid) as refused:
        give(person=make_person("p"), role=Role.OPERATOR, giver=boss, now=timezone.now(), **asked)
    assert refused.value.code == code


@pytest.mark.parametrize("scope", list(Scope))
def test_a_role_is_given_once_per_scope(place: Place, boss: User, scope: Scope) -> None:
    pk = {Scope.SITE: place.site.pk, Scope.QUEUE: place.queue.pk}.get(scope)
    asked: dict[str, Any] = {"person": make_person("p"), "role": Role.OPERATOR, "scope": scope, "scope_id": pk}
    give(**asked, reason="x", giver=boss, now=timezone.now())
    with pytest.raises(Conflict) as refused:
        give(**asked, reason="again", giver=boss, now=timezone.now())
    assert refused.value.code == "grant_exists"


# The last one


def test_the_last_administrator_stays(boss: User, now: datetime) -> None:
    grant = boss.grants.get()
    with pytest.raises(Conflict) as refused:
        take_back(grant=grant, taker=boss, reason="bye", now=now)
    assert refused.value.code == "last_administrator"
    assert reach(boss, Right.GRANT_ALL).everywhere
    second = make_person("second", Role.ADMINISTRATOR)
    take_back(grant=grant, taker=second, reason="bye", now=now)


def test_an_administrator_who_cannot_sign_in_does_not_count(boss: User, now: datetime) -> None:
    gone = make_person("gone", Role.ADMINISTRATOR)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(Conflict):
        take_back(grant=boss.grants.get(), taker=boss, reason="bye", now=now)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once(at_once: AtOnce) -> None:
    people = [make_person(name, Role.ADMINISTRATOR) for name in ("one", "two")]
    grants = [person.grants.get() for person in people]

    def go(number: int) -> bool:
        try:
            take_back(grant=grants[number], taker=people[1 - number], reason="x", now=timezone.now())
        except SecondLookError:
            return False
        return True

    at_once(2, go)
    assert Grant.objects.administrators(timezone.now()).exists()


# What stays


def test_giving_and_taking_leave_entries(boss: User, place: Place, now: datetime) -> None:
    person = make_person("p")
    grant = give(
        person=person,
        role=Role.AUDITOR,
        scope=Scope.SITE,
        scope_id=place.site.pk,
        reason="audit week",
        giver=boss,
        now=now,
    )
    take_back(grant=grant, taker=boss, reason="done", now=now)
    rows = AuditEntry.objects.filter(object_pk=str(person.pk), actor=boss).order_by("id")
    assert [(row.verb, row.site_id) for row in rows] == [
        ("grant.given", place.site.pk),
        ("grant.taken_back", place.site.pk),
    ]
    assert rows[1].additional_data["why"] == "done"
    assert Grant.objects.get(pk=grant.pk).revoked_by == boss


@pytest.mark.parametrize(
    "columns,name",
    [
        ({"role": "king"}, "grant_role_is_known"),
        ({"scope_type": "site", "scope_id": None}, "grant_scope_has_its_id"),
        ({"scope_type": "everywhere", "scope_id": uuid4()}, "grant_scope_has_its_id"),
        ({"scope_type": "planet", "scope_id": uuid4()}, "grant_scope_has_its_id"),
    ],
)
def test_the_database_knows_what_a_grant_is(boss: User, columns: dict[str, Any], name: str, now: datetime) -> None:
    whole = {"person": boss, "role": "operator", "scope_type": "everywhere", "reason": "x", "created_at": now}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Grant.objects.create(**whole | columns)


# The page


def page(person: User) -> Client:
    client = Client()
    factories.sign_in(client, person)
    return client


def test_a_site_supervisor_sees_and_ends_grants_on_its_queues(place: Place, supervisor: User) -> None:
    person = make_person("narrow")
    grant = give_role(person, Role.OPERATOR, queue=place.queue)
    assert "Narrow" in page(supervisor).get("/people/").content.decode()
    page(supervisor).post(f"/people/grants/{grant.pk}/end/", {"reason": "left"})
    grant.refresh_from_db()
    assert grant.revoked_by == supervisor


def test_a_supervisor_does_not_see_grants_of_another_site(place: Place, supervisor: User, elsewhere: Place) -> None:
    hidden = give_role(make_person("hidden"), Role.OPERATOR, queue=elsewhere.queue)
    assert "Hidden" not in page(supervisor).get("/people/").content.decode()
    assert page(supervisor).post(f"/people/grants/{hidden.pk}/end/", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"role": "administrator"},
        {"scope": "everywhere:"},
        {"scope": "site:not-an-id"},
        {"role": "king"},
        {"reason": ""},
        {"reason": "a\0b"},
        {"person": "nobody"},
        {"ends_at": "2001-01-01T00:00"},
        {"ends_at": "soon"},
    ],
)
def test_a_form_that_asks_for_more_is_sent_back(place: Place, supervisor: User, change: dict[str, str]) -> None:
    make_person("new")
    good = {"person": "new", "role": "operator", "scope": f"site:{place.site.pk}", "reason": "help"}
    answer = page(supervisor).post("/people/", good | change)
    assert answer.status_code == 422
    assert not Grant.objects.filter(person__username="new").exists()
    assert page(supervisor).post("/people/", good | {"is_superuser": "1", "granted_by": "1"}).status_code == 302
    assert Grant.objects.get(person__username="new").granted_by == supervisor


def test_a_reason_with_a_nul_is_no_crash(place: Place, supervisor: User, operator: User) -> None:
    answer = page(supervisor).post(f"/people/grants/{operator.grants.get().pk}/end/", {"reason": "a\0b"})
    assert answer.status_code == 302
