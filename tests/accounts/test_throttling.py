"""Guessing is slowed down, and nobody is locked out by a stranger."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from django.utils import timezone

from accounts import throttle
from accounts.models import User
from tests import factories
from tests.factories import PASSWORD

LOGIN = "/accounts/login/"
NOON = "2026-11-23T12:00:05Z"


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()
    throttle.own_counters.clear()


@pytest.fixture
def person(db: None) -> User:
    return factories.make_person("olu")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as moment:
        yield moment


def attempt(client: Client, password: str, name: str = "olu", address: str = "198.51.100.1") -> Any:
    return client.post(LOGIN, {"login": name, "password": password}, REMOTE_ADDR=address)


def guess(times: int, name: str = "olu", **more: Any) -> list[int]:
    return [attempt(Client(), f"wrong-{number}-guess", name, **more).status_code for number in range(times)]


def test_a_stranger_has_to_wait_after_ten_wrong_guesses_and_is_told_how_long(person: User, clock: Any) -> None:
    assert guess(12) == [422] * 10 + [429] * 2
    answer = attempt(Client(), PASSWORD)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "595"
    assert b"Try again in 10 minutes" in answer.content
    clock.shift(600)
    assert attempt(Client(), PASSWORD).status_code == 302


def test_a_name_that_nobody_has_is_slowed_down_in_the_same_way(person: User) -> None:
    assert guess(12, "nobody") == guess(12, "olu", address="198.51.100.2")


def test_the_name_is_counted_in_capitals_or_not_and_from_everywhere(person: User) -> None:
    for number, name in enumerate(["olu", "OLU", " olu ", "Olu"] * 3):
        attempt(Client(), "wrong-guess-1", name, address=f"198.51.100.{number}")
    assert attempt(Client(), PASSWORD, address="198.51.100.99").status_code == 429


def test_a_stranger_does_not_lock_the_person_out_of_the_own_browser(person: User) -> None:
    own = Client()
    assert attempt(own, PASSWORD).status_code == 302
    own.post("/accounts/logout/")
    guess(40)
    assert attempt(Client(), PASSWORD).status_code == 429
    assert attempt(own, PASSWORD).status_code == 302


def test_not_even_from_the_same_address(person: User) -> None:
    own = Client()
    attempt(own, PASSWORD)
    own.post("/accounts/logout/")
    for number in range(60):
        attempt(Client(), "wrong-guess-1", f"name-{number}")
    assert attempt(Client(), "wrong-guess-1", "fresh-name").status_code == 429
    assert attempt(own, PASSWORD).status_code == 302


def test_the_own_browser_is_slowed_down_as_well(person: User, clock: Any) -> None:
    own = Client()
    attempt(own, PASSWORD)
    own.post("/accounts/logout/")
    assert [attempt(own, "wrong-guess-1").status_code for _ in range(11)] == [422] * 10 + [429]
    assert attempt(Client(), PASSWORD, address="198.51.100.7").status_code == 302
    clock.shift(300)
    assert attempt(own, PASSWORD).status_code == 302


def test_a_browser_known_to_somebody_else_is_a_stranger(person: User) -> None:
    factories.make_person("mallory")
    other = Client()
    attempt(other, PASSWORD, "mallory")
    other.post("/accounts/logout/")
    guess(10)
    assert attempt(other, PASSWORD).status_code == 429


@pytest.mark.parametrize("value", ["", "x", "e30:1:x", "\0", "x" * 9000])
def test_a_forged_browser_cookie_is_worth_nothing(person: User, value: str) -> None:
    guess(10)
    client = Client()
    client.cookies["browser"] = value
    assert attempt(client, PASSWORD).status_code == 429


def test_right_passwords_use_nothing_up(person: User) -> None:
    assert [attempt(Client(), PASSWORD).status_code for _ in range(15)] == [302] * 15


def test_a_right_password_does_not_hide_wrong_ones(person: User) -> None:
    guess(9)
    assert attempt(Client(), PASSWORD).status_code == 302
    assert guess(2) == [422, 429]


def test_a_waiting_stranger_costs_no_hash(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    guess(10)
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *_a, **_k: pytest.fail("hashed"))
    assert guess(3) == [429] * 3


def test_a_header_of_the_client_is_no_new_address(person: User) -> None:
    for number in range(60):
        Client().post(
            LOGIN, {"login": f"n{number}", "password": "wrong-guess-1"}, headers={"X-Forwarded-For": f"10.0.0.{number}"}
        )
    assert Client().post(LOGIN, {"login": "fresh", "password": "wrong-guess-1"}).status_code == 429


def test_what_the_address_is_refused_for_uses_up_no_account(person: User) -> None:
    for number in range(50):
        attempt(Client(), "wrong-guess-1", f"name-{number}")
    assert guess(20) == [429] * 20
    assert attempt(Client(), PASSWORD, address="198.51.100.2").status_code == 302


def test_all_addresses_of_one_ipv6_network_are_one(person: User) -> None:
    for number in range(50):
        attempt(Client(), "wrong-guess-1", f"name-{number}", address=f"2001:db8:0:1:{number:x}::1")
    assert attempt(Client(), "wrong-guess-1", "fresh", address="2001:db8:0:1:ffff::2").status_code == 429
    assert attempt(Client(), "wrong-guess-1", "fresh", address="2001:db8:0:2::1").status_code == 422


def test_confirming_with_a_password_is_counted_too(person: User) -> None:
    client = Client()
    factories.sign_in(client, person)
    codes = [client.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code for _ in range(12)]
    assert codes == [422] * 10 + [429] * 2


def test_without_the_shared_cache_each_process_counts_for_itself(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = RedisCache("redis://127.0.0.1:1/0", {})
    monkeypatch.setattr(throttle, "cache", nowhere)
    assert attempt(Client(), PASSWORD).status_code == 302
    assert guess(12) == [422] * 10 + [429] * 2


def test_many_guesses_at_once_are_no_more_than_the_limit(db: None) -> None:
    from concurrent.futures import ThreadPoolExecutor

    limit = throttle.Limit("test", 10, 600)

    def one(_number: int) -> bool:
        try:
            throttle.begin((limit, "same"))
        except throttle.Throttled:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(100))) == 10


@pytest.mark.redis
def test_redis_counts_as_well(settings: Any) -> None:
    import os

    store = RedisCache(os.environ["SECONDLOOK_TEST_REDIS_URL"], {"KEY_PREFIX": f"t{timezone.now().timestamp()}"})
    counter = throttle.Counted(f"throttle:{timezone.now().timestamp()}", throttle.ADDRESS)
    assert [throttle.add_one(store, counter) for _ in range(3)] == [1, 2, 3]
    throttle.take_back(store, counter.key)
    assert throttle.add_one(store, counter) == 3
    assert 0 < store._cache.get_client().ttl(store.make_and_validate_key(counter.key)) <= 600
