"""Refused attempts in the audit trail: who knocked at which door and why it stayed shut, never what was behind it.

Written after the rollback of what was refused, in a transaction of its own. The first attempt of its kind (person or
address, route, code) is written at once; repeats are counted, and one entry a minute says how many there were. What a
killed process loses is the count of the last minute at most; one that ends writes it first. While the database is
out of reach they are counted on, and told when it is back.

An entry holds the id that was asked for, as it was typed, and is filed under the site of the person, not of the
object: whether the object exists is nowhere in it, so that reading the own story tells no more than the answer did.
"""

import atexit
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.http import HttpRequest

from accounts import audit
from accounts.access import held_in_request
from accounts.authentication import client_address
from accounts.context import CURRENT, NOBODY, RequestContext, recall
from accounts.exceptions import SecondLookError
from accounts.ids import as_uuid
from accounts.models import User
from accounts.models.grant import Scope

logger = structlog.get_logger(__name__)
EVERY_S = 60.0
LOOK_EVERY_S = 1.0
# Kinds of attempts that are told apart at one time; what comes on top is counted together, by code.
MOST_KINDS = 2000
MOST_FIRSTS = 300
MOST_IDS = 20
# What a database that is out of reach looks like.
AWAY = (DatabaseError, InterfaceError, OSError)
NOTED = frozenset({401, 403, 404, 409, 413, 429})


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes attempts alike."""

    person: int | None
    address: str | None
    door: str
    route: str
    code: str


@dataclass(slots=True)
class Tally:
    """Attempts of one kind since their last entry."""

    since: float
    site_id: UUID | None
    count: int = 0
    asked: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """The kinds that are being counted in this process, and how many were new in this minute."""

    tallies: dict[Kind, Tally] = field(default_factory=dict)
    firsts: int = 0
    minute: float = 0.0
    looked_at: float = 0.0
    timer: threading.Timer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


BOOK = Book()


def note(where: HttpRequest | Mapping[str, Any], error: SecondLookError, *, door: str) -> None:
    """Record that `error` was the answer to the request (or socket scope) `where`; never raises.

    Counts what is refused (401 only with a wrong credential), not what was merely mistyped. The caller's transaction
    is over by now.
    """
    if error.status not in NOTED or (error.status == 401 and not brought_credential(where)):
        return
    try:
        keep(where, error, door)
    except AWAY as problem:
        logger.warning("refusal_not_recorded", code=error.code, door=door, error=str(problem))


def keep(where: HttpRequest | Mapping[str, Any], error: SecondLookError, door: str) -> None:
    person = person_of(where)
    address = CURRENT.get().remote_addr or address_of(where)
    kind = Kind(person.pk if person else None, None if person else address, door, route_of(where), error.code)
    asked = asked_of(where)
    now = time.monotonic()
    with BOOK.lock:
        first = enter(kind, own_site(person), asked, now)
    if first:
        write_first(kind, person, {"asked": asked, "status": error.status}, address, now)
    write_due(now)


def write_first(kind: Kind, person: User | None, facts: dict[str, Any], address: str | None, now: float) -> None:
    """The entry of the first attempt of its kind; when it cannot be written it is counted like those that follow."""
    try:
        write(kind, person, own_site(person), facts, kind.door, address)
    except AWAY:
        with BOOK.lock:
            enter(kind, own_site(person), facts["asked"], now)
        raise


def enter(kind: Kind, site_id: UUID | None, asked: str, now: float) -> bool:
    """Count one attempt; whether it is the first of its kind and gets its entry at once. Holds the lock."""
    if now - BOOK.minute >= EVERY_S:
        BOOK.minute, BOOK.firsts = now, 0
    tally = BOOK.tallies.get(kind)
    if tally is None and len(BOOK.tallies) < MOST_KINDS and BOOK.firsts < MOST_FIRSTS:
        BOOK.firsts += 1
        BOOK.tallies[kind] = Tally(since=now, site_id=site_id)
        return True
    if tally is None:
        tally = BOOK.tallies.setdefault(rest_of(kind), Tally(since=now, site_id=None))
    tally.count += 1
    if len(tally.asked) < MOST_IDS and asked:
        tally.asked[asked] = None
    start_timer()
    return False


def rest_of(kind: Kind) -> Kind:
    """Where attempts are counted for which there is no room by kind."""
    return Kind(None, None, kind.door, "", kind.code)


def start_timer() -> None:
    """See to it that what is only counted by now gets its entry. Holds the lock."""
    if BOOK.timer is None:
        atexit.unregister(flush)
        atexit.register(flush)
        BOOK.timer = threading.Timer(EVERY_S, on_timer)
        BOOK.timer.daemon = True
        BOOK.timer.start()


def on_timer() -> None:
    with BOOK.lock:
        BOOK.timer = None
    try:
        write_due(time.monotonic())
    except AWAY as problem:
        logger.warning("refusals_not_recorded", error=str(problem))
    finally:
        connections.close_all()
    with BOOK.lock:
        if any(tally.count for tally in BOOK.tallies.values()):
            start_timer()


def write_due(now: float) -> None:
    """Write the entries of kinds whose minute is over, and forget those that were quiet in it."""
    with BOOK.lock:
        if now - BOOK.looked_at < LOOK_EVERY_S:
            return
        BOOK.looked_at = now
        due = {kind: tally for kind, tally in BOOK.tallies.items() if now - tally.since >= EVERY_S}
        for kind, tally in due.items():
            del BOOK.tallies[kind]
            if tally.count:
                # It goes on, most likely: its next attempts are counted and get no entry of their own.
                BOOK.tallies[kind] = Tally(since=now, site_id=tally.site_id)
    try:
        write_all(due)
    except AWAY:
        with BOOK.lock:
            start_timer()
        raise


def flush() -> None:
    """Write what was counted so far; for the timer and the end of the process. Never raises."""
    with BOOK.lock:
        due, BOOK.tallies = BOOK.tallies, {}
    try:
        write_all(due)
    except AWAY as problem:
        logger.warning("refusals_not_recorded", kinds=len(due), error=str(problem))


def write_all(due: dict[Kind, Tally]) -> None:
    """Write the entries of `due`; from the first that cannot be written on they go back into the book."""
    unwritten = {kind: tally for kind, tally in due.items() if tally.count}
    try:
        for kind, tally in list(unwritten.items()):
            person = User.objects.filter(pk=kind.person).first() if kind.person else None
            more = {"count": tally.count, "seconds": round(time.monotonic() - tally.since), "ids": list(tally.asked)}
            write(kind, person, tally.site_id, more, kind.door, kind.address)
            del unwritten[kind]
    except AWAY:
        put_back(unwritten)
        raise


def put_back(unwritten: dict[Kind, Tally]) -> None:
    """Count on from what could not be written; together by code where the book is full."""
    with BOOK.lock:
        for kind, tally in unwritten.items():
            if kind not in BOOK.tallies and len(BOOK.tallies) >= MOST_KINDS:
                kind, tally.site_id = rest_of(kind), None
            there = BOOK.tallies.setdefault(kind, Tally(since=tally.since, site_id=tally.site_id))
            there.since = min(there.since, tally.since)
            there.count += tally.count
            there.asked = dict(list((tally.asked | there.asked).items())[:MOST_IDS])


def write(
    kind: Kind, person: User | None, site_id: UUID | None, more: dict[str, Any], door: str, address: str | None
) -> None:
    """One entry; the request that happens to write a summary is not the one that it tells of."""
    summary = "count" in more
    before = CURRENT.get()
    if summary or before is NOBODY:
        CURRENT.set(RequestContext(remote_addr=address, door=door))
    try:
        with transaction.atomic():
            audit.record(
                "attempts.refused" if summary else "attempt.refused",
                actor=person,
                site_id=site_id,
                action=audit.Action.ACCESS,
                subject=as_uuid(more.get("asked", "")),
                route=kind.route,
                code=kind.code,
                **more,
            )
    finally:
        CURRENT.set(before)


def forget() -> None:
    """Drop what is counted, unwritten; for tests."""
    with BOOK.lock:
        BOOK.tallies, BOOK.firsts, BOOK.looked_at = {}, 0, 0.0
        if BOOK.timer is not None:
            BOOK.timer.cancel()
        BOOK.timer = None


# What a request or socket says of itself


def person_of(where: HttpRequest | Mapping[str, Any]) -> User | None:
    if not isinstance(where, HttpRequest):
        found = where.get("user")
    else:
        found = getattr(where, "auth", None) or getattr(where, "user", None)
    if isinstance(found, User):
        return found
    # A token that was recognised and lacks the scope has said who it is of.
    known: User | None = recall("person")
    return known


def own_site(person: User | None) -> UUID | None:
    """The site of somebody who works on one site only; other refusals are for those who read all."""
    rows = held_in_request(person) if person else []
    sites = {held.scope_id for held in rows if held.scope_type == Scope.SITE}
    return sites.pop() if len(sites) == 1 else None


def address_of(where: HttpRequest | Mapping[str, Any]) -> str | None:
    if isinstance(where, HttpRequest):
        return where.META.get("REMOTE_ADDR") or None
    # What the middleware has done for a request is done here: the peer may be a proxy of ours.
    peer = str((where.get("client") or [""])[0] or "")
    forwarded = b",".join(value for name, value in where.get("headers", []) if name == b"x-forwarded-for")
    return client_address(peer, forwarded.decode("latin-1"), settings.SECONDLOOK["TRUSTED_PROXIES"]) or None


def route_of(where: HttpRequest | Mapping[str, Any]) -> str:
    """The route's pattern, which holds no id; a socket has its path."""
    if not isinstance(where, HttpRequest):
        return str(where.get("path", ""))[:100]
    match = where.resolver_match
    return f"{where.method} {match.route}"[:150] if match else f"{where.method}"


def asked_of(where: HttpRequest | Mapping[str, Any]) -> str:
    """The id in the address as it was typed."""
    match = where.resolver_match if isinstance(where, HttpRequest) else None
    return str(match.kwargs.get("pk", ""))[:100] if match else ""


def brought_credential(where: HttpRequest | Mapping[str, Any]) -> bool:
    return isinstance(where, HttpRequest) and "Authorization" in where.headers
