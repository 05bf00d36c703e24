"""A role is changed in one step, nobody raises his own, and somebody is always left who administers."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.models import UserObjectPermission

from accounts.access import audit_entries_for, people_for, reach
from accounts.actions.grants import Wanted, change, give, take_back
from accounts.actions.permissions import derive, derive_all
from accounts.exceptions import Conflict, Refused
from accounts.explain import ask
from accounts.models import AuditEntry, Grant, User
from accounts.models.grant import Scope
from accounts.reaches import reached
from accounts.roles import Right, Role
from inference.access import sites_for
from inference.models import Site
from review.access import events_for, manifests_for, queues_for
from review.models import Queue
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, give_role, make_item, make_person


@pytest.fixture
def boss(place: Place) -> User:
    return make_person("boss", Role.ADMINISTRATOR)


def changed(grant: Grant, changer: User, **wanted: Any) -> Grant:
    asked = {"role": Role(grant.role), "scope": Scope(grant.scope_type), "scope_id": grant.scope_id} | wanted
    return change(grant=grant, wanted=Wanted(**asked), reason="moved", changer=changer, now=timezone.now())


def test_a_changed_role_opens_the_new_and_shuts_the_old(
    place: Place, elsewhere: Place, operator: User, boss: User
) -> None:
    old = operator.grants.get()
    new = changed(old, boss, scope=Scope.QUEUE, scope_id=elsewhere.queue.pk)
    assert list(queues_for(operator, Right.REVIEW)) == [elsewhere.queue]
    assert Grant.objects.get(pk=old.pk).revoked_by == boss
    assert AuditEntry.objects.get(verb="grant.given", actor=boss).additional_data["grant"] == str(new.pk)


def test_a_change_within_a_site_is_one_entry(place: Place, operator: User, boss: User) -> None:
    new = changed(operator.grants.get(), boss, scope=Scope.QUEUE, scope_id=place.queue.pk)
    entry = AuditEntry.objects.get(verb="grant.changed")
    assert (entry.additional_data["was"], entry.additional_data["becomes"]) == (
        "operator, Yard",
        "operator, Yard · yard unsure",
    )
    assert entry.additional_data["after"]["grant"] == str(new.pk)


def test_who_reads_the_trail_of_one_site_does_not_read_where_somebody_went_or_came_from(
    place: Place, elsewhere: Place, operator: User, boss: User
) -> None:
    changed(operator.grants.get(), boss, scope=Scope.SITE, scope_id=elsewhere.site.pk)
    for site, other, verb in (
        (place.site, elsewhere.site, "grant.taken_back"),
        (elsewhere.site, place.site, "grant.given"),
    ):
        reader = make_person(f"auditor-{site.slug}", Role.AUDITOR, site)
        found = audit_entries_for(reader).filter(subject_id=operator.public_id, actor=boss)
        told = found.get(verb__startswith="grant.")
        assert told.verb == verb
        assert told.additional_data["where"] == site.name
        assert other.name not in str(told.additional_data)
        assert str(other.pk) not in str(told.additional_data)


def test_the_same_role_with_another_end_is_a_change(place: Place, operator: User, boss: User, now: datetime) -> None:
    end = now + timedelta(days=7)
    assert changed(operator.grants.get(), boss, ends_at=end).ends_at == end
    assert Grant.objects.live(now + timedelta(days=1)).filter(person=operator).count() == 1
    assert not reach(operator, Right.REVIEW, now=end)


def test_a_grant_that_is_over_cannot_be_changed(place: Place, operator: User, boss: User) -> None:
    """Two tabs: the second one acts on what is not there any more."""
    old = operator.grants.get()
    changed(old, boss, role=Role.SUPERVISOR)
    for act in (
        lambda: changed(old, boss, role=Role.AUDITOR),
        lambda: take_back(grant=old, taker=boss, reason="x", now=timezone.now()),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "grant_ended"
    assert [grant.role for grant in Grant.objects.live(timezone.now()).filter(person=operator)] == ["supervisor"]


def test_a_change_that_is_refused_leaves_the_old_grant(
    place: Place, elsewhere: Place, operator: User, supervisor: User
) -> None:
    grant = operator.grants.get()
    wishes: list[dict[str, Any]] = [
        {"role": Role.SUPERVISOR},
        {"role": Role.ADMINISTRATOR},
        {"scope_id": elsewhere.site.pk},
        {"scope": Scope.EVERYWHERE, "scope_id": None},
    ]
    for wished in wishes:
        with pytest.raises(Refused):
            changed(grant, supervisor, **wished)
    other = give_role(operator, Role.AUDITOR, place.site)
    with pytest.raises(Refused):
        changed(other, supervisor, role=Role.OPERATOR)
    grant.refresh_from_db()
    assert grant.revoked_at is None
    assert queues_for(operator, Right.REVIEW).exists()


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_nobody_gives_himself_a_role_or_changes_his_own(place: Place, role: Role) -> None:
    person = make_person("climber", role, place.site)
    for wished in Role:
        with pytest.raises(Refused):
            give(
                person=person,
                role=wished,
                scope=Scope.SITE,
                scope_id=place.site.pk,
                reason="x",
                giver=person,
                now=timezone.now(),
            )
        with pytest.raises(Refused):
            changed(person.grants.get(), person, role=wished)
    assert person.grants.get().role == role


def test_the_last_administrators_grant_gets_no_end(boss: User, now: datetime) -> None:
    second = make_person("second", Role.ADMINISTRATOR)
    changed(second.grants.get(), boss, ends_at=now + timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        changed(boss.grants.get(), second, ends_at=now + timedelta(days=30))
    assert refused.value.code == "last_administrator"
    with pytest.raises(Conflict):
        take_back(grant=boss.grants.get(), taker=second, reason="x", now=now)
    assert reach(boss, Right.GRANT_ALL, now=now + timedelta(days=90)).everywhere


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_wins(at_once: AtOnce) -> None:
    place, boss = factories.make_place("yard"), make_person("boss", Role.ADMINISTRATOR)
    grant = give_role(make_person("p"), Role.OPERATOR, place.site)
    wishes = [Role.SUPERVISOR, Role.AUDITOR]

    def go(number: int) -> bool:
        try:
            changed(grant, boss, role=wishes[number])
        except Conflict:
            return False
        return True

    assert sorted(at_once(2, go)) == [False, True]
    assert Grant.objects.live(timezone.now()).filter(person=grant.person).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_loses_the_right_while_giving_gives_nothing(at_once: AtOnce) -> None:
    place, boss = factories.make_place("yard"), make_person("boss", Role.ADMINISTRATOR)
    local = give_role(make_person("local"), Role.ADMINISTRATOR, place.site)
    target = make_person("target")

    def go(number: int) -> bool:
        try:
            if number:
                take_back(grant=local, taker=boss, reason="x", now=timezone.now())
            else:
                asked = {"person": target, "role": Role.OPERATOR, "scope": Scope.SITE, "scope_id": place.site.pk}
                give(**asked, reason="x", giver=local.person, now=timezone.now())
        except Refused:
            return False
        return True

    gave, took = at_once(2, go)
    given, taken = Grant.objects.filter(person=target).first(), Grant.objects.get(pk=local.pk)
    assert took
    assert gave == (given is not None)
    assert taken.revoked_at is not None


# What is gone


def test_a_grant_on_what_exists_no_more_opens_nothing_and_can_be_taken_back(place: Place, boss: User) -> None:
    from review.actions.setup import create_queue

    now = timezone.now()
    queue = create_queue(site=place.site, slug="old", name="Old", taxonomy=place.taxonomy, maker=None, now=now)
    person = make_person("p")
    grant = give_role(person, Role.OPERATOR, queue=queue)
    Queue.objects.filter(pk=queue.pk).delete()
    assert not queues_for(person, Right.REVIEW).exists()
    assert [way.where for one in reached(person, Grant.objects.all(), now=now) for way in one.ways] == [
        "a place that exists no more: opens nothing"
    ] * 2
    derive(person, now=now)
    assert not UserObjectPermission.objects.filter(user=person).exists()
    take_back(grant=grant, taker=boss, reason="tidy", now=timezone.now())


def test_a_site_made_later_inherits_nothing_from_one_that_is_gone(place: Place, now: datetime) -> None:
    gone = factories.make_place("gone")
    person = make_person("p", Role.OPERATOR, place.site)
    Grant.objects.filter(person=person).update(scope_id=uuid4())
    derive(person, now=now)
    factories.make_place("next")
    assert not sites_for(person, Right.SEE_EVENTS).exists()
    assert not queues_for(person, Right.SEE_EVENTS).exists()
    assert gone.site.pk not in {site.pk for site in sites_for(person, Right.SEE_EVENTS)}


def test_deriving_for_many_takes_as_many_queries_as_for_few(
    place: Place, operator: User, now: datetime, django_assert_num_queries: Any
) -> None:
    with transaction.atomic():
        derive_all(now=now)
        with CaptureQueriesContext(connection) as few:
            derive_all(now=now)
    people = User.objects.bulk_create(User(username=f"many-{number}", password="!") for number in range(60))
    Grant.objects.bulk_create(
        Grant(person=one, role="auditor", scope_type="site", scope_id=place.site.pk, reason="x", created_at=now)
        for one in people
    )
    with transaction.atomic():
        derive_all(now=now)
        with django_assert_num_queries(len(few) + 1):  # the second role's group is looked up
            derive_all(now=now)
    assert all(sites_for(User.objects.get(pk=one.pk), Right.AUDIT_SITE).exists() for one in people[:3])
    Grant.objects.filter(person__in=people).update(revoked_at=now)
    derive(people[0], now=now)
    assert not UserObjectPermission.objects.filter(user=people[0]).exists()
    assert not people[0].groups.exists()


# Rights on whole models


def test_rights_on_whole_models_open_no_door(place: Place, now: datetime) -> None:
    """A12: a group with every permission of every model of ours."""
    item = make_item(place)
    group = Group.objects.create(name="all of it")
    kinds = ContentType.objects.filter(app_label__in=["accounts", "inference", "review"])
    group.permissions.set(Permission.objects.filter(content_type__in=kinds))
    member = make_person("member")
    member.groups.add(group)
    member.user_permissions.set(group.permissions.all())
    member = User.objects.get(pk=member.pk)
    assert member.has_perm("review.see_events")
    for right in Right:
        assert not reach(member, right)
        assert not sites_for(member, right).exists()
        assert not queues_for(member, right).exists()
    assert not events_for(member).exists()
    assert not manifests_for(member).exists()
    assert not people_for(member).exists()
    assert ask(asker=member, person=member, address=f"/events/{item.event_id}/", now=now).opens is None
    assert not Site.objects.filter(pk__in=sites_for(member, Right.SEE_SOURCES)).exists()
