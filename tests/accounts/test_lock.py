"""A locked session: what it still reaches, how it is opened, and whose it is then."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.actions import badges, shifts
from accounts.actions.sessions import end_session, end_sessions
from accounts.authentication import UNLOCKED_WITH, strength
from accounts.lock import WORKS_LOCKED
from accounts.models import AuditEntry, Shift, User, Workstation
from accounts.models.workstation import GRACE, PIN_TRIES, SHIFT
from accounts.roles import Role
from tests import factories
from tests.accounts.workstations import PAGE, PIN, SCRIPT, at_work, browser, make_workstation, unlock, untouched, who
from tests.conftest import AtOnce
from tests.doors import PAGES, Caller, World, content, make_world
from tests.factories import Place, bearer, make_item, make_person, make_token, sign_in

IDLE = 10


@pytest.fixture
def gate(operator: User, place: Place) -> Workstation:
    return make_workstation(operator, site_id=place.site.pk)


@pytest.fixture
def client(gate: Workstation) -> Any:
    return browser(gate)


@pytest.fixture
def shift(client: Any, operator: User) -> Shift:
    return at_work(client, operator)


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))


# What a locked session reaches


def test_no_door_answers_a_locked_session(db: None, subtests: pytest.Subtests) -> None:
    """Every page of the matrix, by every role, as a page and as a script; the API by its token goes on."""
    world: World = make_world()
    for one in PAGES:
        role = next(role for role in one.allowed)
        person = world.people[role]
        client = browser(world.workstation)
        shift = at_work(client, person, pin="")
        assert shifts.lock(shift=shift, why="asked", now=timezone.now())
        for script in (False, True):
            caller = Caller(person, api=False, htmx=script)
            with subtests.test(str(one), script=script), transaction.atomic():
                answer = call(caller, client, one, world)
                assert b"canary" not in content(answer)
                if answer.status_code == 302:
                    assert not script
                    assert answer["Location"].startswith("/lock/")
                else:
                    assert answer.status_code == 401
                    assert answer.json()["code"] == "locked"
                transaction.set_rollback(True)


def call(caller: Caller, client: Any, one: Any, world: World) -> Any:
    """As `Caller.call`, with this very browser."""
    address = caller.address(one, world, None)
    headers = {"HX-Request": "true"} if caller.htmx else {}
    if one.method == "GET":
        return client.get(address, headers=headers)
    body = one.body(world) if one.body else {}
    if one.form:
        return client.post(address, body, headers=headers)
    return client.post(address, json.dumps(body), content_type="application/json", headers=headers)


def test_only_these_routes_work_while_locked() -> None:
    """Whoever makes the list longer changes this test too."""
    assert {"lock", "lock-unlock", "lock-leave", "lock-urgent", "healthz", "readyz"} == WORKS_LOCKED
    names = {pattern.name for pattern in every_pattern(get_resolver().url_patterns)}
    assert names >= WORKS_LOCKED


def every_pattern(patterns: Any) -> Any:
    for pattern in patterns:
        yield from every_pattern(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern]


def test_a_personal_token_goes_on_while_its_person_is_locked(client: Any, shift: Shift, operator: User) -> None:
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    answer = client.get("/api/v1/queues", **bearer(make_token(operator)))
    assert answer.status_code == 200


def test_the_lock_screen_holds_no_content(client: Any, shift: Shift, place: Place, supervisor: User) -> None:
    item = make_item(place)
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    page = client.get("/lock/").content.decode()
    assert "Olu" in page
    for known in (place.queue.name, str(place.queue.pk), str(item.pk), str(item.event_id), place.camera.name):
        assert known not in page


def test_urgent_items_of_the_locked_person_are_counted(
    client: Any, shift: Shift, place: Place, elsewhere: Place
) -> None:
    late, soon, _later, foreign = make_item(place), make_item(place), make_item(place), make_item(elsewhere)
    now = timezone.now()
    for item, minutes in ((late, -5), (soon, 5), (_later, 300), (foreign, -5)):
        type(item).objects.filter(pk=item.pk).update(due_at=now + timedelta(minutes=minutes))
    shifts.lock(shift=shift, why="asked", now=now)
    answer = client.get("/lock/urgent/", **SCRIPT)
    assert 'data-urgent-total="2"' in answer.content.decode()


def test_nobody_reads_counts_without_a_locked_session(client: Any, shift: Shift, gate: Workstation) -> None:
    for other in (browser(), browser(gate), client):
        page = other.get("/lock/urgent/").content.decode()
        assert "urgent item" not in page


# Locking


def test_locking_takes_one_request(client: Any, shift: Shift) -> None:
    answer = client.post("/lock/now/", {"next": "/queues/"})
    assert answer["Location"] == "/lock/?next=%2Fqueues%2F"
    assert answer["Clear-Site-Data"] == '"cache"'
    assert client.get("/queues/")["Location"] == "/lock/?next=%2Fqueues%2F"
    assert verbs()[-1] == "session.locked"


def test_a_second_lock_is_no_second_entry(shift: Shift) -> None:
    now = timezone.now()
    assert shifts.lock(shift=shift, why="asked", now=now)
    assert not shifts.lock(shift=shift, why="asked", now=now)
    assert verbs().count("session.locked") == 1


def test_a_lock_that_fails_tells_nobody(shift: Shift, broadcasts: list[str]) -> None:
    with transaction.atomic():
        assert shifts.lock(shift=shift, why="asked", now=timezone.now())
        transaction.set_rollback(True)
    shift.refresh_from_db()
    assert shift.locked_at is None
    assert broadcasts == []
    assert "session.locked" not in verbs()


def test_the_server_locks_an_untouched_browser_without_script(client: Any, shift: Shift) -> None:
    untouched(shift, IDLE + GRACE.total_seconds() / 60 + 0.1)
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")


def test_a_browser_that_was_touched_stays_open(client: Any, shift: Shift) -> None:
    untouched(shift, IDLE - 0.5)
    assert client.get("/queues/", **PAGE).status_code == 200
    shift.refresh_from_db()
    assert timezone.now() - shift.last_active_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "headers",
    [
        SCRIPT,
        {"HTTP_HX_REQUEST": "true", "HTTP_ACCEPT": "text/html"},
        {"HTTP_ACCEPT": "image/avif,image/webp,*/*"},
        {"HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate"},
    ],
)
def test_what_a_page_does_by_itself_is_no_activity(client: Any, shift: Shift, headers: dict[str, str]) -> None:
    untouched(shift, 5)
    assert client.get("/queues/", **headers).status_code == 200
    shift.refresh_from_db()
    assert timezone.now() - shift.last_active_at > timedelta(minutes=4)


def test_the_page_reports_that_somebody_is_there(client: Any, shift: Shift) -> None:
    untouched(shift, 5)
    assert client.post("/lock/active/", **SCRIPT).status_code == 204
    shift.refresh_from_db()
    assert timezone.now() - shift.last_active_at < timedelta(minutes=1)


def test_no_report_of_activity_lifts_a_lock(client: Any, shift: Shift) -> None:
    untouched(shift, 30)
    before = Shift.objects.get(pk=shift.pk)
    assert client.post("/lock/active/", **SCRIPT).status_code == 401
    shifts.stay(shift=before, now=timezone.now())
    assert client.get("/queues/", **PAGE).status_code == 302
    untouched(shift, 0)
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    shifts.stay(shift=shift, now=timezone.now())
    assert client.get("/queues/", **PAGE).status_code == 302


def test_a_request_that_began_before_the_lock_does_not_write_it_away(client: Any, shift: Shift) -> None:
    """The whole session is saved at the end of a request; the lock does not stand in it."""
    early = client.session
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    early["something"] = 1
    early.save()
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")


def test_a_personal_browser_does_not_lock_by_itself(operator: User) -> None:
    client = browser()
    sign_in(client, operator)
    assert client.get("/queues/", **PAGE).status_code == 200
    assert SHIFT not in client.session
    assert not Shift.objects.exists()


def test_a_personal_browser_can_be_locked_by_hand_and_asks_for_the_password(operator: User) -> None:
    client = browser()
    sign_in(client, operator)
    client.post("/lock/now/")
    page = client.get("/lock/").content.decode()
    assert "Sign in with password" in page
    assert 'name="code"' not in page
    assert unlock(client, PIN, operator)["Location"] == "/lock/"
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")


def test_personal_browsers_lock_too_when_the_settings_say_so(operator: User, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"PERSONAL_LOCK_MINUTES": 3}
    client = browser()
    sign_in(client, operator)
    client.get("/queues/")
    untouched(Shift.objects.get(), 5)
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")


def test_a_session_whose_shift_is_not_there_shows_nothing(client: Any, shift: Shift) -> None:
    Shift.objects.filter(pk=shift.pk).delete()
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")
    assert "Sign in with password" in client.get("/lock/").content.decode()
    client.post("/lock/leave/")
    assert SHIFT not in client.session


# Opening


def test_the_pin_opens_the_session_where_it_was(client: Any, shift: Shift) -> None:
    key = client.session.session_key
    client.post("/lock/now/")
    answer = unlock(client, PIN, shift.person, next="/queues/")
    assert answer["Location"] == "/queues/"
    assert client.get("/queues/", **PAGE).status_code == 200
    assert client.session.session_key == key
    assert client.session[UNLOCKED_WITH] == "pin"
    entry = AuditEntry.objects.get(verb="session.unlocked")
    assert entry.additional_data["unlocked_with"] == "pin"


def test_a_pin_opens_a_browser_that_only_time_has_locked(client: Any, shift: Shift) -> None:
    untouched(shift, 60)
    assert unlock(client, PIN, shift.person).status_code == 302
    assert client.get("/queues/", **PAGE).status_code == 200


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_host(client: Any, shift: Shift, onward: str) -> None:
    client.post("/lock/now/", {"next": onward})
    assert "evil" not in client.get("/lock/", {"next": onward}).content.decode()
    assert unlock(client, PIN, shift.person, next=onward)["Location"] == "/"


def test_a_wrong_pin_says_how_many_tries_are_left(client: Any, shift: Shift) -> None:
    client.post("/lock/now/")
    answer = unlock(client, "8250", shift.person)
    assert answer.status_code == 422
    assert "4 tries are left" in answer.content.decode()
    entry = AuditEntry.objects.get(verb="pin.refused")
    assert entry.additional_data["tries"] == 1
    assert "8250" not in json.dumps(entry.additional_data)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["the same browser", "another browser"])
def test_a_pin_is_no_fresh_proof_of_who_sits_there(
    client: Any, shift: Shift, gate: Workstation, elsewhere: bool
) -> None:
    assert client.get("/me/tokens/", **PAGE).status_code == 200
    assert client.get("/me/security/app/", **PAGE).status_code == 200
    client.post("/lock/now/")
    there = browser(gate) if elsewhere else client
    assert unlock(there, PIN, shift.person).status_code == 302
    for address in ("/me/security/app/", "/me/security/password/"):
        assert there.get(address, **PAGE)["Location"].startswith("/accounts/reauthenticate/")
    answer = there.post("/me/tokens/", {"name": "stolen", "scopes": ["events:read"], "days": "90"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_somebody_who_has_to_set_up_a_factor_can_lock_and_come_back(client: Any, shift: Shift) -> None:
    User.objects.filter(pk=shift.person_id).update(needs_factor=True)
    assert client.get("/queues/", **PAGE)["Location"] == "/me/security/"
    assert client.post("/lock/now/")["Location"].startswith("/lock/")
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")
    assert client.get("/lock/").status_code == 200
    assert client.get("/lock/urgent/").status_code == 200
    assert unlock(client, PIN, shift.person).status_code == 302
    client.post("/lock/now/")
    assert client.post("/lock/leave/").status_code == 302
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize("onward", ["zzz", "people", "https://evil.example/", "//evil.example", "/lock/"])
def test_a_strange_way_on_is_not_taken(client: Any, shift: Shift, onward: str) -> None:
    assert client.get("/lock/", {"next": onward})["Location"] == "/"
    client.post("/lock/now/")
    assert unlock(client, PIN, shift.person, next=onward)["Location"] == "/"


def test_a_badge_counts_as_long_as_its_maker_could_give_it(client: Any, shift: Shift, place: Place, now: Any) -> None:
    maker = make_person("supervisor-of-badges", Role.SUPERVISOR, place.site)
    badges.register(person=shift.person, number="BADGE-777000111", name="", maker=maker, now=now)
    client.post("/lock/now/")
    assert unlock(client, "BADGE-777000111").status_code == 302
    factories.give_role(shift.person, Role.ADMINISTRATOR)
    client.post("/lock/now/")
    assert unlock(client, "BADGE-777000111").status_code == 422
    assert who(client) == ""


def test_pages_that_no_view_draws_show_nobody_either(gate: Workstation, operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = browser(gate).cookies
    shift = at_work(client, operator, pin="")
    shown = str(operator.public_id).encode()
    assert shown in client.get("/nothing-of-ours/", **PAGE).content
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    for answer in (client.get("/nothing-of-ours/", **PAGE), client.post("/lock/unlock/", {"code": "1"})):
        assert answer.status_code in {403, 404}
        assert shown not in answer.content


def test_what_waits_to_be_told_is_told_to_its_person_only(gate: Workstation, operator: User) -> None:
    client = Client()
    client.cookies = browser(gate).cookies
    shift = at_work(client, operator, pin=PIN)
    client.post("/me/workstation/pin/", {"pin": "2580", "again": "8520"})
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    told = b"Type the same one twice"
    assert told not in client.get("/nothing-of-ours/", **PAGE).content
    unlock(client, PIN, operator)
    assert told in client.get("/nothing-of-ours/", **PAGE).content


def test_a_badge_whose_maker_has_left_says_so_and_is_no_guess(
    client: Any, shift: Shift, place: Place, gate: Workstation, now: Any
) -> None:
    maker = make_person("supervisor-of-badges", Role.SUPERVISOR, place.site)
    badges.register(person=shift.person, number="BADGE-777000111", name="", maker=maker, now=now)
    User.objects.filter(pk=maker.pk).update(is_active=False)
    client.post("/lock/now/")
    for _try in range(badges.REFUSED_MOST + 1):
        assert "registered again" in unlock(client, "BADGE-777000111").content.decode()
    gate.refresh_from_db()
    assert gate.refused_badges == 0


@pytest.mark.parametrize("code", [PIN, "8250", "BADGE-777000111"])
def test_nobody_opens_or_guesses_at_the_session_of_somebody_at_work(
    client: Any, shift: Shift, place: Place, gate: Workstation, now: Any, code: str
) -> None:
    maker = make_person("supervisor-of-badges", Role.SUPERVISOR, place.site)
    badges.register(person=shift.person, number="BADGE-777000111", name="", maker=maker, now=now)
    stranger = browser(gate)
    for _try in range(PIN_TRIES):
        assert unlock(stranger, code, shift.person).status_code == 422
    assert who(stranger) == ""
    assert who(client) == shift.person.username
    shift.refresh_from_db()
    assert (shift.pin_tries, bool(shift.pin_hash)) == (0, True)


def test_five_wrong_pins_take_the_pin_away_and_end_nothing(client: Any, shift: Shift, gate: Workstation) -> None:
    client.post("/lock/now/")
    stranger = browser(gate)
    for _try in range(PIN_TRIES):
        unlock(stranger, "8250", shift.person)
    shift.refresh_from_db()
    assert shift.ended_at is None
    assert unlock(client, PIN, shift.person).status_code == 422


def test_five_wrong_pins_leave_the_password(client: Any, shift: Shift) -> None:
    client.post("/lock/now/")
    for _try in range(PIN_TRIES):
        answer = unlock(client, "8250", shift.person)
    assert "Sign in with your password" in answer.content.decode()
    assert unlock(client, PIN, shift.person).status_code == 422
    assert client.get("/queues/", **PAGE)["Location"].startswith("/lock/")
    assert verbs()[-1] == "pin.voided"


def test_the_right_pin_gives_the_tries_back(client: Any, shift: Shift) -> None:
    for _round in range(3):
        client.post("/lock/now/")
        for _try in range(PIN_TRIES - 1):
            unlock(client, "8250", shift.person)
        assert unlock(client, PIN, shift.person).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_many_at_once_share_the_five_tries(at_once: AtOnce) -> None:
    person = make_person("olu")
    gate = make_workstation(person)
    shift = at_work(browser(gate), person)
    shifts.lock(shift=shift, why="asked", now=timezone.now())
    answers = at_once(10, lambda number: unlock(browser(gate), f"82{number}5", person).content.decode())
    assert sum("left" in answer for answer in answers) <= PIN_TRIES - 1
    assert AuditEntry.objects.filter(verb="pin.refused").count() == PIN_TRIES
    assert AuditEntry.objects.filter(verb="pin.voided").count() == 1
    assert unlock(browser(gate), PIN, person).status_code == 422


def test_a_pin_is_good_at_its_workstation_only(shift: Shift, operator: User) -> None:
    other = browser(make_workstation(operator, name="Gate 3"))
    assert unlock(other, PIN, operator).status_code == 422
    assert unlock(browser(), PIN, operator)["Location"] == "/lock/"
    assert who(other) == ""


def test_a_forged_cookie_is_no_workstation(shift: Shift, gate: Workstation) -> None:
    client = browser()
    for forged in (str(gate.pk), f"{gate.pk}:x:y", "\x00", "x" * 5000):
        client.cookies["workstation"] = forged
        assert unlock(client, PIN, shift.person)["Location"] == "/lock/"
        assert who(client) == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shift: Shift.objects.filter(pk=shift.pk).update(
            began_at=timezone.now() - timedelta(hours=13), ends_at=timezone.now()
        ),
        lambda shift: User.objects.filter(pk=shift.person_id).update(is_active=False),
        lambda shift: User.objects.filter(pk=shift.person_id).update(password="another"),
        lambda shift: Workstation.objects.filter(pk=shift.workstation_id).update(retired_at=timezone.now()),
        lambda shift: shifts.end(shift=shift, why="signed out", now=timezone.now()),
    ],
    ids=["12 hours are over", "deactivated", "new password", "retired", "signed out"],
)
def test_the_pin_is_void(client: Any, shift: Shift, spoil: Any) -> None:
    client.post("/lock/now/")
    spoil(shift)
    assert unlock(client, PIN, shift.person).status_code in {302, 422}
    assert who(client) == ""


def test_a_pin_is_no_full_authentication(client: Any, shift: Shift, rf: Any) -> None:
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    client.post("/lock/now/")
    unlock(client, PIN, shift.person)
    request = rf.get("/")
    request.session, request.user = client.session, shift.person
    found = strength(request)
    assert found["methods"] == ["password"]
    assert found["age_s"] >= 3600
    assert found["unlocked_with"] == "pin"


def test_the_password_is_always_a_way_out(client: Any, shift: Shift) -> None:
    client.post("/lock/now/")
    answer = client.post("/lock/leave/", {"next": "/queues/"})
    assert answer["Location"] == "/accounts/login/?next=%2Fqueues%2F"
    assert client.session.session_key is None
    # The shift goes on: the person may still come back by PIN.
    assert unlock(client, PIN, shift.person).status_code == 302
    assert who(client) == "olu"


# Change of person


@pytest.fixture
def relief(client: Any, shift: Shift, place: Place) -> Shift:
    """Another person of the shift, who had the browser before; `shift` is at it now."""
    person = make_person("rae", factories.Role.OPERATOR, place.site)
    client.post("/lock/now/")
    other = at_work(client, person, pin="4862")
    shifts.lock(shift=other, why="asked", now=timezone.now())
    assert unlock(client, PIN, shift.person).status_code == 302
    assert who(client) == "olu"
    return other


def test_a_change_of_person_is_a_new_session(client: Any, shift: Shift, relief: Shift) -> None:
    session = client.session
    session["left_behind"] = "secret"
    session.save()
    old_key = client.session.session_key
    client.post("/lock/now/")
    answer = unlock(client, "4862", relief.person, next="/queues/of-the-last-person/")
    assert answer["Location"] == "/"
    assert who(client) == "rae"
    assert client.session.session_key != old_key
    assert "left_behind" not in client.session
    assert not type(client.session)(old_key).exists(old_key)
    entry = AuditEntry.objects.filter(verb="session.handed_over").latest("pk")
    assert (entry.actor, entry.additional_data["before"]) == (relief.person, "Olu")


def test_the_cache_is_cleared_once_by_the_lock_or_else_by_the_change(client: Any, shift: Shift, relief: Shift) -> None:
    assert client.post("/lock/now/")["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in unlock(client, "4862", relief.person)
    untouched(relief, 60)
    assert unlock(client, PIN, shift.person)["Clear-Site-Data"] == '"cache"'
    assert who(client) == "olu"


def test_the_new_session_says_how_its_person_signed_in(client: Any, shift: Shift, relief: Shift, rf: Any) -> None:
    client.post("/lock/now/")
    unlock(client, "4862", relief.person)
    request = rf.get("/")
    request.session, request.user = client.session, relief.person
    assert strength(request)["methods"] == ["password"]
    assert strength(request)["unlocked_with"] == "pin"
    assert client.session.get_expiry_age() <= 12 * 3600


def test_the_old_session_opens_nothing_after_the_change(client: Any, gate: Workstation, relief: Shift) -> None:
    stolen = browser(gate)
    stolen.cookies["sessionid"] = client.cookies["sessionid"].value
    client.post("/lock/now/")
    unlock(client, "4862", relief.person)
    assert who(stolen) == ""


def test_the_people_of_the_shift_are_offered_and_nobody_else(
    client: Any, shift: Shift, relief: Shift, place: Place, operator: User
) -> None:
    at_work(browser(make_workstation(operator, name="Gate 3")), make_person("zoe"))
    client.post("/lock/now/")
    page = client.get("/lock/").content.decode()
    assert str(relief.person.public_id) in page
    assert "zoe" not in page
    assert browser().get("/lock/")["Location"] == "/accounts/login/"


def test_the_pin_of_one_person_does_not_open_for_another(client: Any, shift: Shift, relief: Shift) -> None:
    client.post("/lock/now/")
    assert unlock(client, PIN, relief.person).status_code == 422
    assert unlock(client, PIN).status_code == 422
    answer = client.post("/lock/unlock/", {"code": PIN, "person": "x" * 99})
    assert answer.status_code == 422
    assert who(client) == ""


def test_an_open_session_is_not_taken_over(client: Any, shift: Shift, relief: Shift) -> None:
    assert unlock(client, "4862", relief.person)["Location"] == "/lock/"
    assert who(client) == "olu"


def test_the_lock_screen_asks_a_constant_number_of_questions(
    client: Any, shift: Shift, gate: Workstation, place: Place, django_assert_num_queries: Any
) -> None:
    client.post("/lock/now/")
    client.get("/lock/")
    with django_assert_num_queries(15, exact=False):
        client.get("/lock/")
    for number in range(8):
        at_work(browser(gate), make_person(f"p{number}", factories.Role.OPERATOR, place.site), pin="")
    with django_assert_num_queries(15, exact=False):
        client.get("/lock/")


# Signing out


def test_signing_out_ends_the_shift_and_clears_the_cache(client: Any, shift: Shift) -> None:
    answer = client.post("/accounts/logout/")
    assert answer["Location"] == "/lock/"
    assert answer["Clear-Site-Data"] == '"cache"'
    assert unlock(client, PIN, shift.person).status_code == 422
    assert who(client) == ""


def test_looking_at_the_sign_out_page_ends_nothing(client: Any, shift: Shift) -> None:
    client.get("/accounts/logout/")
    assert who(client) == "olu"


def test_a_person_who_is_deactivated_has_no_shift_left(shift: Shift, now: Any) -> None:
    from accounts import departures

    with transaction.atomic():
        departures.run(shift.person, now)
    shift.refresh_from_db()
    assert shift.ended_at is not None
    assert verbs()[-1] == "pin.voided"


# Sessions that are ended from elsewhere


def test_ending_all_sessions_leaves_no_pin_that_brings_one_back(client: Any, shift: Shift) -> None:
    end_sessions(person=shift.person, actor=None, reason="phone lost", now=timezone.now())
    assert who(client) == ""
    assert unlock(client, PIN, shift.person).status_code == 422


def test_ending_the_other_sessions_leaves_this_one_and_its_pin(client: Any, shift: Shift, operator: User) -> None:
    other = at_work(browser(make_workstation(operator, name="Gate 3")), operator)
    end_sessions(person=operator, keep=client.session.session_key, actor=operator, reason="tidy up", now=timezone.now())
    other.refresh_from_db()
    assert other.ended_at is not None
    client.post("/lock/now/")
    assert unlock(client, PIN, operator).status_code == 302
    assert who(client) == "olu"


def test_ending_one_session_ends_its_shift_only(client: Any, shift: Shift, operator: User) -> None:
    elsewhere_client = browser(make_workstation(operator, name="Gate 3"))
    other = at_work(elsewhere_client, operator)
    key = elsewhere_client.session.session_key or ""
    end_session(person=operator, key=key, actor=operator, now=timezone.now())
    other.refresh_from_db()
    shift.refresh_from_db()
    assert other.ended_at is not None
    assert shift.ended_at is None
