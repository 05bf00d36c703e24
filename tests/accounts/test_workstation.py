"""Sharing a browser, PINs, badges, and who may manage them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.actions import badges, pins, shifts, workstation
from accounts.actions.people import deactivate
from accounts.authentication import UNLOCKED_WITH
from accounts.exceptions import Conflict, Invalid, Refused, SecondLookError
from accounts.lock import cookie_name
from accounts.models import AuditEntry, Badge, Shift, User, Workstation
from accounts.models.workstation import SHIFT
from accounts.outbox import keys_of
from accounts.roles import Role
from tests import factories
from tests.accounts.workstations import PIN, at_work, browser, make_workstation, unlock, who
from tests.conftest import AtOnce
from tests.factories import Place, make_person, sign_in

NUMBER = "04A1B2C3D4E5"


@pytest.fixture
def gate(operator: User, place: Place) -> Workstation:
    return make_workstation(operator, site_id=place.site.pk)


@pytest.fixture
def boss(db: None) -> User:
    return make_person("boss", Role.ADMINISTRATOR)


def signed(person: User) -> Client:
    client = browser()
    sign_in(client, person)
    return client


# Sharing


def test_a_browser_becomes_a_workstation(operator: User, place: Place) -> None:
    client = signed(operator)
    client.post("/me/workstation/share/", {"name": "  Gate   2 ", "site": str(place.site.pk)})
    made = Workstation.objects.get()
    assert (made.name, made.site_id, made.created_by) == ("Gate 2", place.site.pk, operator)
    morsel = client.cookies[cookie_name()]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert str(Shift.objects.get(workstation=made, person=operator).pk) == client.session[SHIFT]
    assert "Gate 2" in client.get("/me/workstation/").content.decode()
    assert AuditEntry.objects.get(verb="workstation.shared").site_id == place.site.pk


def test_the_cookie_travels_by_tls_only_where_sessions_do(operator: User, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    client = signed(operator)
    client.post("/me/workstation/share/", {"name": "Gate 2"}, secure=True)
    assert client.cookies["__Host-workstation"]["secure"]


def test_nobody_names_a_site_that_is_not_his(operator: User, elsewhere: Place) -> None:
    signed(operator).post("/me/workstation/share/", {"name": "Gate 2", "site": str(elsewhere.site.pk)})
    assert Workstation.objects.get().site_id is None


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "\0"])
def test_a_workstation_needs_a_name(operator: User, name: str) -> None:
    signed(operator).post("/me/workstation/share/", {"name": name})
    assert not Workstation.objects.exists()


def test_whoever_shared_it_can_stop_it(operator: User, place: Place) -> None:
    client = signed(operator)
    client.post("/me/workstation/share/", {"name": "Gate 2"})
    relief = at_work(browser(Workstation.objects.get()), make_person("rae"))
    client.post("/me/workstation/unshare/")
    assert Workstation.objects.get().retired_at is not None
    assert who(client) == ""
    relief.refresh_from_db()
    assert relief.ended_at is not None


def test_another_operator_cannot_stop_it(gate: Workstation, place: Place) -> None:
    client = browser(gate)
    at_work(client, make_person("rae", Role.OPERATOR, place.site))
    client.post("/me/workstation/unshare/")
    gate.refresh_from_db()
    assert gate.retired_at is None


def test_two_who_retire_it_at_once_leave_one_entry(gate: Workstation, boss: User, now: Any) -> None:
    workstation.retire(workstation=gate, person=boss, now=now)
    with pytest.raises(Conflict):
        workstation.retire(workstation=gate, person=boss, now=now)
    with pytest.raises(Conflict):
        workstation.change(workstation=gate, name="x", idle_minutes=None, changer=boss, now=now)
    assert AuditEntry.objects.filter(verb__startswith="workstation.").count() == 2


def test_it_locks_after_its_own_minutes(gate: Workstation, supervisor: User, operator: User) -> None:
    signed(supervisor).post(f"/people/workstations/{gate.pk}/", {"name": "Gate 2", "idle_minutes": "3"})
    gate.refresh_from_db()
    assert gate.idle == timedelta(minutes=3)
    client = browser(gate)
    at_work(client, operator)
    assert 'data-idle-seconds="180"' in client.get("/me/workstation/").content.decode()


@pytest.mark.parametrize("minutes", ["0", "481", "-1", "1e3", "٣", "99999999999999999999"])
def test_it_refuses_minutes_that_are_none(gate: Workstation, supervisor: User, minutes: str) -> None:
    signed(supervisor).post(f"/people/workstations/{gate.pk}/", {"name": "Other", "idle_minutes": minutes})
    gate.refresh_from_db()
    assert (gate.name, gate.idle_minutes) == ("Gate 2", None)


# Shifts


def test_a_full_sign_in_begins_a_shift_for_so_many_hours(gate: Workstation, operator: User, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"SHIFT_HOURS": 8}
    shift = at_work(browser(gate), operator, pin="")
    assert shift.ends_at - shift.began_at == timedelta(hours=8)
    assert shift.workstation == gate


def test_signing_in_anew_ends_the_shift_before(gate: Workstation, operator: User) -> None:
    first = at_work(browser(gate), operator)
    client = browser(gate)
    sign_in(client, operator)
    client.get("/me/workstation/")
    first.refresh_from_db()
    assert first.ended_at is not None
    assert unlock(browser(gate), PIN, operator).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_two_sign_ins_of_one_person_at_once_leave_one_shift(at_once: AtOnce) -> None:
    person = make_person("olu")
    gate = make_workstation(person)
    at_once(6, lambda _n: shifts.begin(person=person, workstation=gate, sign_in={}, now=timezone.now()))
    assert Shift.objects.filter(ended_at=None).count() == 1


def test_the_database_refuses_two_open_shifts_of_one_person(gate: Workstation, operator: User) -> None:
    shift = at_work(browser(gate), operator)
    times = {name: getattr(shift, name) for name in ("began_at", "ends_at", "last_active_at")}
    with pytest.raises(IntegrityError), transaction.atomic():
        Shift.objects.create(person=operator, workstation=gate, **times)


@pytest.mark.parametrize(
    "wrong", [{"pin_tries": 6}, {"ends_at": timezone.now() - timedelta(days=3)}], ids=["too many tries", "ends before"]
)
def test_the_database_refuses_a_shift_that_cannot_be(gate: Workstation, operator: User, wrong: dict[str, Any]) -> None:
    shift = at_work(browser(gate), operator)
    with pytest.raises(IntegrityError), transaction.atomic():
        Shift.objects.filter(pk=shift.pk).update(**wrong)


# PINs


@pytest.mark.parametrize("pin", ["1111", "1234", "4321", "0123", "8901", "1212", "121212", "12341234", "1984", "2026"])
def test_it_refuses_a_trivial_pin(gate: Workstation, operator: User, pin: str, now: Any) -> None:
    shift = at_work(browser(gate), operator, pin="")
    with pytest.raises(Invalid) as refusal:
        pins.set_pin(shift=shift, pin=pin, now=now)
    assert refusal.value.code == "pin_trivial"


@pytest.mark.parametrize("pin", ["", "123", "739173917", "73a1", "７３９１", "-739", " 7391", "7391\n", "\0" * 5])
def test_it_refuses_what_is_no_pin(gate: Workstation, operator: User, pin: str, now: Any) -> None:
    shift = at_work(browser(gate), operator, pin="")
    with pytest.raises(Invalid) as refusal:
        pins.set_pin(shift=shift, pin=pin, now=now)
    assert refusal.value.code == "pin_form"


def test_the_pin_is_kept_as_a_slow_hash(gate: Workstation, operator: User) -> None:
    shift = at_work(browser(gate), operator)
    assert PIN not in shift.pin_hash
    assert "$" in shift.pin_hash
    assert PIN not in str(AuditEntry.objects.get(verb="pin.set").additional_data)


def test_two_pins_that_differ_are_refused(gate: Workstation, operator: User) -> None:
    client = browser(gate)
    shift = at_work(client, operator, pin="")
    client.post("/me/workstation/pin/", {"pin": PIN, "again": "7392"})
    shift.refresh_from_db()
    assert shift.pin_hash == ""


def test_a_personal_browser_has_no_pin(operator: User) -> None:
    client = signed(operator)
    page = client.post("/me/workstation/pin/", {"pin": PIN, "again": PIN}, follow=True)
    assert "shared computer only" in page.content.decode()


@pytest.mark.parametrize("over", [{"ended_at": timezone.now()}, {"locked_at": timezone.now()}])
def test_no_pin_is_set_for_a_shift_that_is_over_or_locked(
    gate: Workstation, operator: User, over: dict[str, Any], now: Any
) -> None:
    shift = at_work(browser(gate), operator, pin="")
    Shift.objects.filter(pk=shift.pk).update(**over)
    with pytest.raises(Conflict):
        pins.set_pin(shift=shift, pin=PIN, now=now)


def test_nothing_is_kept_of_a_pin_that_rolls_back(gate: Workstation, operator: User, now: Any) -> None:
    shift = at_work(browser(gate), operator, pin="")
    with transaction.atomic():
        pins.set_pin(shift=shift, pin=PIN, now=now)
        transaction.set_rollback(True)
    shift.refresh_from_db()
    assert shift.pin_hash == ""
    assert not AuditEntry.objects.filter(verb="pin.set").exists()


# Badges


@pytest.fixture
def badge(operator: User, supervisor: User, now: Any) -> Badge:
    return badges.register(person=operator, number=f"{NUMBER}\r\n", name="", maker=supervisor, now=now)


def test_a_badge_opens_after_a_full_sign_in(badge: Badge, gate: Workstation, operator: User) -> None:
    client = browser(gate)
    assert "full sign-in" in unlock(client, NUMBER).content.decode()
    at_work(client, operator, pin="")
    client.post("/lock/now/")
    assert unlock(client, NUMBER).status_code == 302
    assert who(client) == "olu"
    assert client.session[UNLOCKED_WITH] == "badge"


def test_a_badge_changes_the_person_by_itself(badge: Badge, gate: Workstation, operator: User, place: Place) -> None:
    client = browser(gate)
    at_work(client, operator, pin="")
    other = make_person("rae", Role.OPERATOR, place.site)
    client.post("/lock/now/")
    client.post("/lock/leave/")
    at_work(client, other)
    client.post("/lock/now/")
    # Whoever is chosen on the screen: the badge says whose it is.
    assert unlock(client, NUMBER, other)["Location"] == "/"
    assert who(client) == "olu"


def test_only_a_keyed_digest_of_the_number_is_kept(badge: Badge, settings: Any) -> None:
    import hashlib

    assert NUMBER not in badge.digest
    assert badge.digest != hashlib.sha256(NUMBER.encode()).hexdigest()
    before = badges.digests(NUMBER)[0]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-" + "y" * 40
    assert badges.digests(NUMBER)[0] != before
    assert before in badges.digests(NUMBER)


def test_a_badge_belongs_to_one_person(badge: Badge, supervisor: User, place: Place, now: Any) -> None:
    other = make_person("rae", Role.OPERATOR, place.site)
    with pytest.raises(Conflict) as refusal:
        badges.register(person=other, number=NUMBER, name="x", maker=supervisor, now=now)
    assert "olu" not in str(refusal.value.detail).lower()
    with pytest.raises(IntegrityError), transaction.atomic():
        Badge.objects.create(person=other, digest=badge.digest, name="x", created_by=supervisor, created_at=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_get_one_badge_at_once_one_has_it(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    boss = make_person("boss", Role.ADMINISTRATOR)
    people = [make_person(f"p{number}", Role.OPERATOR, place.site) for number in range(4)]

    def one(number: int) -> bool:
        try:
            badges.register(person=people[number], number=NUMBER, name="x", maker=boss, now=timezone.now())
        except Conflict:
            return False
        return True

    assert sum(at_once(4, one)) == 1


def test_a_revoked_badge_opens_nothing_and_can_be_given_again(
    badge: Badge, gate: Workstation, operator: User, supervisor: User, now: Any
) -> None:
    client = browser(gate)
    at_work(client, operator, pin="")
    client.post("/lock/now/")
    badges.revoke(badge=badge, person=supervisor, now=now)
    assert unlock(client, NUMBER).status_code == 422
    with pytest.raises(Conflict):
        badges.revoke(badge=badge, person=supervisor, now=now)
    badges.register(person=operator, number=NUMBER, name="again", maker=supervisor, now=now)
    assert unlock(client, NUMBER).status_code == 302


@pytest.mark.parametrize("number", ["7391", "12345678", "", "  ", "abc", "x" * 129, "04\x00AB12", "04\x07AB12"])
def test_it_refuses_what_is_no_badge_number(operator: User, supervisor: User, number: str, now: Any) -> None:
    with pytest.raises(Invalid):
        badges.register(person=operator, number=number, name="x", maker=supervisor, now=now)


def test_a_supervisor_gives_no_badge_of_somebody_who_may_more(
    operator: User, supervisor: User, place: Place, elsewhere: Place, now: Any
) -> None:
    """A badge stands for its person: whoever registers it holds authority over every role of his."""
    factories.give_role(operator, Role.OPERATOR, elsewhere.site)
    with pytest.raises(SecondLookError):
        badges.register(person=operator, number=NUMBER, name="x", maker=supervisor, now=now)
    with pytest.raises(SecondLookError):
        badges.register(person=supervisor, number=NUMBER, name="x", maker=supervisor, now=now)
    with pytest.raises(Refused):
        badges.register(person=make_person("nobody"), number=NUMBER, name="x", maker=supervisor, now=now)
    assert not Badge.objects.exists()


def test_badges_cannot_be_guessed(badge: Badge, gate: Workstation, operator: User) -> None:
    client = browser(gate)
    at_work(client, operator, pin="")
    client.post("/lock/now/")
    for number in range(badges.REFUSED_MOST):
        assert "not known" in unlock(client, f"04FFFFFF{number:04}").content.decode()
    assert "Too many badges" in unlock(client, NUMBER).content.decode()
    Workstation.objects.update(refused_since=timezone.now() - badges.REFUSED_WITHIN)
    assert unlock(client, NUMBER).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_guesses_of_badges_at_once_are_counted(at_once: AtOnce) -> None:
    gate = make_workstation(make_person("olu"))
    known = at_once(20, lambda number: "not known" in unlock_or_fail(gate, f"04FFFFFF{number:04}"))
    assert sum(known) == badges.REFUSED_MOST


def unlock_or_fail(gate: Workstation, number: str) -> str:
    try:
        badges.owner_of(number, workstation=gate, now=timezone.now())
    except Refused as error:
        return str(error.detail)
    return "known"


# The page of the administrators and supervisors


def test_the_page_shows_the_own_site_only(
    gate: Workstation, badge: Badge, supervisor: User, outsider: User, boss: User
) -> None:
    for person, seen in ((supervisor, True), (boss, True), (outsider, False)):
        page = signed(person).get("/people/workstations/").content.decode()
        assert ("Gate 2" in page) is seen
        assert ("Olu" in page) is seen


def test_a_badge_that_has_to_be_registered_again_is_marked(badge: Badge, supervisor: User, boss: User) -> None:
    assert b"register again" not in signed(boss).get("/people/workstations/").content
    deactivate(person=supervisor, actor=boss, reason="left", now=timezone.now())
    assert b"register again" in signed(boss).get("/people/workstations/").content


def test_nobody_else_has_that_page(operator: User, gate: Workstation) -> None:
    assert signed(operator).get("/people/workstations/").status_code == 404


def test_another_sites_workstation_does_not_exist(gate: Workstation, badge: Badge, outsider: User) -> None:
    client = signed(outsider)
    assert client.post(f"/people/workstations/{gate.pk}/", {"name": "x"}).status_code == 404
    assert client.post(f"/people/workstations/{gate.pk}/retire/").status_code == 404
    assert client.post(f"/people/badges/{badge.pk}/revoke/").status_code == 404
    gate.refresh_from_db()
    assert (gate.name, gate.retired_at) == ("Gate 2", None)


def test_a_person_of_another_site_is_unknown_to_the_form(operator: User, outsider: User, gate: Workstation) -> None:
    client = signed(outsider)
    answers = [
        client.post("/people/badges/", {"person": name, "number": NUMBER}) for name in ("olu", "there-is-no-such")
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert "no active person" in answers[0].content.decode()


def test_a_badge_needs_a_fresh_sign_in(supervisor: User, operator: User) -> None:
    client = browser()
    sign_in(client, supervisor, minutes_ago=60)
    answer = client.post("/people/badges/", {"person": "olu", "number": NUMBER})
    assert answer.status_code == 302
    assert not Badge.objects.exists()


def test_the_list_asks_a_constant_number_of_questions(
    gate: Workstation, badge: Badge, boss: User, place: Place, now: Any, django_assert_max_num_queries: Any
) -> None:
    client = signed(boss)
    client.get("/people/workstations/")
    for number in range(20):
        make_workstation(boss, site_id=place.site.pk, name=f"Gate {number}")
        person = make_person(f"p{number}", Role.OPERATOR, place.site)
        badges.register(person=person, number=f"04AAAAAA{number:04}", name="x", maker=boss, now=now)
    with django_assert_max_num_queries(18):
        client.get("/people/workstations/")


def test_a_workstation_of_no_site_is_for_who_grants_everywhere(operator: User, supervisor: User, boss: User) -> None:
    made = make_workstation(operator, name="Anywhere")
    assert signed(supervisor).post(f"/people/workstations/{made.pk}/retire/").status_code == 404
    assert "Anywhere" in signed(boss).get("/people/workstations/").content.decode()


# Keys of unsent answers


def test_everybody_has_a_key_of_his_own(operator: User, supervisor: User, settings: Any) -> None:
    first = keys_of(operator)
    assert first == keys_of(operator)
    assert first != keys_of(supervisor)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-" + "y" * 40
    assert keys_of(operator)[1:] == first
    assert keys_of(operator)[0] != first[0]


def test_the_server_gives_the_key_to_its_person_only(operator: User, supervisor: User, gate: Workstation) -> None:
    assert signed(operator).get("/me/outbox-keys/").json() == {"keys": keys_of(operator)}
    assert signed(supervisor).get("/me/outbox-keys/").json() != {"keys": keys_of(operator)}
    client = browser(gate)
    at_work(client, operator)
    client.post("/lock/now/")
    assert keys_of(operator)[0] not in client.get("/lock/").content.decode()
