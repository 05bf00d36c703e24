"""Links that work once: invitations and new passwords."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.actions.grants import take_back
from accounts.actions.invitations import LinkOver, accept, invite, link, make_reset, revoke
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import AuditEntry, Grant, Invitation, Session, User
from accounts.models.grant import Scope
from accounts.roles import Role
from tests import factories
from tests.conftest import AtOnce
from tests.factories import PASSWORD, Place

NEW = "three-quiet-brown-foxes"


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()


def invited(maker: User, place: Place, role: Role = Role.OPERATOR) -> tuple[Invitation, str]:
    return invite(
        name="Nia",
        email="nia@example.org",
        role=role,
        scope=Scope.SITE,
        scope_id=place.site.pk,
        maker=maker,
        now=timezone.now(),
    )


def join(token: str, username: str = "nia", client: Client | None = None, password: str = NEW) -> Any:
    body = {"token": token, "username": username, "password": password, "again": password}
    return (client or Client()).post("/accounts/join/", body)


def test_an_invited_person_makes_the_account_and_is_in(supervisor: User, place: Place) -> None:
    _row, token = invited(supervisor, place)
    client = Client()
    assert join(token, client=client).status_code == 302
    person = User.objects.get(username="nia")
    assert (person.name, person.email, person.check_password(NEW)) == ("Nia", "nia@example.org", True)
    assert client.get(f"/queues/{place.queue.pk}/desk/").status_code == 200
    grant = Grant.objects.get(person=person)
    assert (grant.role, grant.scope_id, grant.granted_by) == ("operator", place.site.pk, supervisor)
    assert AuditEntry.objects.filter(verb="invitation.used", actor=person).exists()


def test_a_link_works_once(supervisor: User, place: Place) -> None:
    _row, token = invited(supervisor, place)
    join(token)
    again = join(token, "other")
    assert again.status_code == 410
    assert not User.objects.filter(username="other").exists()


def test_every_link_that_is_over_is_one_answer(supervisor: User, place: Place) -> None:
    used, revoked, expired, homeless = (invited(supervisor, place) for _ in range(4))
    join(used[1], "first")
    revoke(invitation=revoked[0], actor=supervisor, now=timezone.now())
    Invitation.objects.filter(pk=expired[0].pk).update(
        made_at=timezone.now() - timedelta(days=4), ends_at=timezone.now() - timedelta(seconds=1)
    )
    tokens = [used[1], revoked[1], expired[1], "sli_never", "", "\0", "x" * 5000]
    bodies = {(answer.status_code, plain(answer)) for answer in (join(token) for token in tokens[:4])}
    take_back(grant=Grant.objects.get(person=supervisor), taker=None, reason="left", now=timezone.now())
    answer = join(homeless[1])
    bodies.add((answer.status_code, plain(answer)))
    assert len(bodies) == 1
    assert {join(token).status_code for token in tokens[4:]} == {422}
    assert not User.objects.filter(username="nia").exists()


def plain(answer: Any) -> bytes:
    import re

    return re.sub(rb'content="[A-Za-z0-9]{64}"', b"", answer.content)


def test_a_maker_who_was_deactivated_gives_nothing_any_more(supervisor: User, place: Place) -> None:
    _row, token = invited(supervisor, place)
    User.objects.filter(pk=supervisor.pk).update(is_active=False)
    assert join(token).status_code == 410
    assert not User.objects.filter(username="nia").exists()


def test_nobody_invites_to_more_than_he_may_give(
    supervisor: User, operator: User, place: Place, elsewhere: Place
) -> None:
    with pytest.raises(Refused):
        invited(supervisor, place, Role.SUPERVISOR)
    with pytest.raises(Refused):
        invited(supervisor, elsewhere)
    with pytest.raises(Refused):
        invited(operator, place)
    assert not Invitation.objects.exists()


def test_the_token_is_not_kept_and_not_in_the_address_that_servers_see(
    supervisor: User, place: Place, settings: Any
) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"ADDRESS": "https://review.example.org"}
    row, token = invited(supervisor, place)
    where = urlsplit(link(row, token))
    assert (where.scheme, where.netloc, where.path) == ("https", "review.example.org", "/accounts/join/")
    assert where.fragment == token
    assert len(token) >= 43
    row.refresh_from_db()
    stored = str(list(Invitation.objects.values())) + str(list(AuditEntry.objects.values()))
    assert token not in stored


def test_a_false_host_is_in_no_link(supervisor: User, place: Place, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECONDLOOK = settings.SECONDLOOK | {"ADDRESS": "https://review.example.org"}
    client = Client(HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")
    factories.sign_in(client, supervisor)
    body = {"name": "Nia", "role": "operator", "scope": f"site:{place.site.pk}"}
    page = client.post("/people/invitations/", body).content
    assert b"https://review.example.org/accounts/join/#sli_" in page
    assert b"evil.example" not in page


def test_the_page_hands_the_token_to_nobody(db: None) -> None:
    answer = Client().get("/accounts/join/")
    # Not "no-referrer": with it browsers send their forms with the origin "null", which Django refuses.
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("username", ["sam", "SAM"])
def test_a_taken_sign_in_name_leaves_the_link_alive(supervisor: User, place: Place, username: str) -> None:
    _row, token = invited(supervisor, place)
    assert join(token, username).status_code == 409
    assert join(token).status_code == 302


@pytest.mark.parametrize("password", ["short", "password1234", "nia-nia-nia-nia"[:3], "1" * 11])
def test_a_weak_password_leaves_the_link_alive(supervisor: User, place: Place, password: str) -> None:
    _row, token = invited(supervisor, place)
    assert join(token, password=password).status_code == 422
    assert join(token).status_code == 302


@pytest.mark.parametrize("username", ["", "a b", "<x>", "x" * 151, "a\0b"])
def test_an_impossible_sign_in_name_is_refused(supervisor: User, place: Place, username: str) -> None:
    _row, token = invited(supervisor, place)
    assert join(token, username).status_code == 422
    assert not Invitation.objects.filter(used_at__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_account(place: Place, at_once: AtOnce) -> None:
    boss = factories.make_person("boss", Role.ADMINISTRATOR)
    _row, token = invited(boss, place)

    def one(number: int) -> bool:
        try:
            accept(token=token, username=f"nia{number}", password=NEW, now=timezone.now())
        except LinkOver:
            return False
        return True

    assert sum(at_once(4, one)) == 1
    assert User.objects.filter(name="Nia").count() == 1


def test_the_list_shows_the_own_links_with_their_state(
    supervisor: User, outsider: User, place: Place, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        invited(supervisor, place)
    client, other = Client(), Client()
    factories.sign_in(client, supervisor)
    factories.sign_in(other, outsider)
    with django_assert_max_num_queries(18):
        page = client.get("/people/invitations/").content.decode()
    assert page.count("Nia") >= 5
    assert "nia@example.org" not in other.get("/people/invitations/").content.decode()
    row = Invitation.objects.first()
    assert row is not None
    assert other.post(f"/people/invitations/{row.pk}/revoke/").status_code == 404
    client.post(f"/people/invitations/{row.pk}/revoke/")
    row.refresh_from_db()
    assert row.revoked_at
    with pytest.raises(Conflict):
        revoke(invitation=row, actor=supervisor, now=timezone.now())


def test_inviting_needs_a_fresh_proof(supervisor: User, place: Place) -> None:
    client = Client()
    factories.sign_in(client, supervisor, minutes_ago=20)
    body = {"name": "Nia", "role": "operator", "scope": f"site:{place.site.pk}"}
    assert client.post("/people/invitations/", body)["Location"].startswith("/accounts/reauthenticate/")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 151])
def test_an_invitation_needs_a_name(supervisor: User, place: Place, name: str) -> None:
    with pytest.raises(Invalid):
        invite(
            name=name,
            email="",
            role=Role.OPERATOR,
            scope=Scope.SITE,
            scope_id=place.site.pk,
            maker=supervisor,
            now=timezone.now(),
        )


# New passwords


@pytest.fixture
def boss(db: None) -> User:
    return factories.make_person("boss", Role.ADMINISTRATOR)


def set_password(token: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/accounts/new-password/", {"token": token, "password": NEW, "again": NEW})


def test_a_reset_link_sets_the_password_and_ends_the_sessions(boss: User, operator: User) -> None:
    old = Client()
    factories.sign_in(old, operator)
    _row, token = make_reset(person=operator, maker=boss, reason="forgot it", now=timezone.now())
    assert old.get("/queues/").status_code == 200
    client = Client()
    assert set_password(token, client).status_code == 302
    assert (old.get("/queues/").status_code, client.get("/queues/").status_code) == (302, 200)
    operator.refresh_from_db()
    assert operator.check_password(NEW)
    assert set_password(token).status_code == 410
    assert Session.objects.filter(person=operator).count() == 1


def test_a_newer_reset_link_ends_the_older_one(boss: User, operator: User) -> None:
    _row, older = make_reset(person=operator, maker=boss, reason="lost", now=timezone.now())
    make_reset(person=operator, maker=boss, reason="lost again", now=timezone.now())
    assert set_password(older).status_code == 410


def test_a_reset_link_is_no_invitation_and_the_other_way_round(boss: User, operator: User, place: Place) -> None:
    _row, reset = make_reset(person=operator, maker=boss, reason="lost", now=timezone.now())
    _row, invitation = invited(boss, place)
    assert join(reset).status_code == 410
    assert set_password(invitation).status_code == 410
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


def test_only_who_administers_the_person_makes_a_reset_link(boss: User, supervisor: User, operator: User) -> None:
    for maker in (supervisor, operator):
        with pytest.raises(Refused):
            make_reset(person=operator, maker=maker, reason="x", now=timezone.now())
    with pytest.raises(Refused):
        make_reset(person=boss, maker=boss, reason="x", now=timezone.now())


def test_a_reset_link_of_somebody_who_lost_the_right_is_over(boss: User, operator: User) -> None:
    factories.make_person("chief", Role.ADMINISTRATOR)
    _row, token = make_reset(person=operator, maker=boss, reason="lost", now=timezone.now())
    take_back(grant=Grant.objects.get(person=boss), taker=None, reason="left", now=timezone.now())
    assert set_password(token).status_code == 410


@pytest.mark.parametrize(
    "more",
    [
        {"is_reset": True, "role": "operator"},
        {"is_reset": True, "role": "", "scope_type": ""},
        {"role": "king"},
        {"used_at": timezone.now()},
    ],
)
def test_the_database_refuses_links_that_make_no_sense(boss: User, more: dict[str, Any]) -> None:
    now = timezone.now()
    usual = {"role": "operator", "scope_type": "everywhere"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(
            name="x", token_hash="x", made_at=now, ends_at=now + timedelta(days=1), **(usual | more)
        )
