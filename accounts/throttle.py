"""How often somebody may be wrong before he has to wait. Nobody is ever locked out: each wait ends by itself.

Attempts are counted for the account that was typed, separately from browsers that this account signed in with before
and from all others; and for the address. A stranger who guesses uses up the count of unknown browsers, and the person
still comes in from his own. An attempt counts when it begins, so that many at once gain nothing, and is taken back
when it was right.

The counters live in the cache. When that is out of reach each process counts for itself with the same limits: looser
by the number of processes, never open, never shut.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from accounts.authentication import neighbourhood
from accounts.exceptions import SecondLookError

logger = structlog.get_logger(__name__)
# Each process's own counters, for as long as the shared ones are out of reach.
own_counters = LocMemCache("throttle", {"OPTIONS": {"MAX_ENTRIES": 20_000}})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` wrong attempts in each stretch of `window_s` seconds."""

    name: str
    count: int
    window_s: int


ADDRESS = Limit("address", 50, 600)
STRANGE_BROWSER = Limit("strange", 10, 600)
KNOWN_BROWSER = Limit("known", 10, 300)
STRANGE_CODE = Limit("strange-code", 5, 600)
KNOWN_CODE = Limit("known-code", 5, 300)


class Throttled(SecondLookError):
    """Too many wrong attempts; `retry_after` in the members says for how many seconds."""

    status, code = 429, "too_many_attempts"


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter of an attempt."""

    key: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has been counted. Call `was_right` when it was no guess."""

    counters: tuple[Counted, ...]

    def was_right(self) -> None:
        for one in self.counters:
            shared_or_own(partial(take_back, key=one.key))


def begin(*subjects: tuple[Limit, str]) -> Attempt:
    """Count an attempt against each (limit, subject). Raises Throttled at the first that is used up.

    What stands behind that one is not counted: whoever floods from one address uses up no account.
    """
    now = time.time()
    counters = tuple(Counted(key_of(limit, subject, now), limit) for limit, subject in subjects)
    for one in counters:
        if count(one) > one.limit.count:
            raise waiting(one.limit.window_s - int(now) % one.limit.window_s)
    return Attempt(counters)


def waiting(seconds: int) -> Throttled:
    minutes = -(-seconds // 60)
    said = ngettext(
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
        minutes,
    )
    return Throttled(said % {"minutes": minutes}, retry_after=seconds)


def key_of(limit: Limit, subject: str, now: float) -> str:
    """Names the counter of this stretch of time. What was typed, which may be a password, is only in it as a hash."""
    if limit == ADDRESS:
        subject = neighbourhood(subject)
    digest = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"throttle:{limit.name}:{digest}:{int(now) // limit.window_s}"


def count(one: Counted) -> int:
    """Add one to a counter and return what it says now."""
    return int(shared_or_own(lambda store: add_one(store, one)))


def add_one(store: Any, one: Counted) -> int:
    store.add(one.key, 0, timeout=one.limit.window_s)
    try:
        return int(store.incr(one.key))
    except ValueError:
        # The stretch ended between the two calls.
        return 1


def take_back(store: Any, key: str) -> None:
    try:
        store.decr(key)
    except ValueError:
        return


def shared_or_own[T](call: Callable[[Any], T]) -> T:
    """Run `call` on the shared cache, or on this process's own counters when that is out of reach."""
    try:
        return call(cache)
    except (RedisError, OSError) as error:
        logger.warning("throttle_without_shared_cache", error=type(error).__name__)
        return call(own_counters)
