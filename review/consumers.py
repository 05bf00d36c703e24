"""The live socket: it says what changed, by id, and only of what the person may see. It takes no commands."""

import asyncio
import logging
import time
from collections import Counter
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpRequest
from redis.exceptions import RedisError

from accounts import lock, refusals
from accounts.exceptions import Locked, Refused
from accounts.models import User
from accounts.roles import Right
from accounts.sign_in_rules import hindrance
from inference.access import sources_for
from review.access import manifests_for, queues_for

logger = logging.getLogger(__name__)
# At most one message per second and object reaches a page; the last change is never swallowed.
COALESCE_S = 1.0
# How often rights are looked at while nothing happens, which is how long a right can outlive its end at most.
RECHECK_S = 4.0
# How old the last look may be when something is delivered.
FRESH_S = 1.5
# Changes of this many objects wait for the next flush; a page that misses one catches up with its next.
MOST_WAITING = 1000
SIGNED_OUT = 4401
LOCKED = 4423
TOO_MANY = 4429
TRY_AGAIN = 1013
# What being unable to look looks like: the database or the channel layer is out of reach.
AWAY = (DatabaseError, OSError, RedisError)
# The open sockets of this process, by person.
OPEN: Counter[str] = Counter()


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """`/ws/live/`: joins the groups of everything the person may see, and looks again every few seconds."""

    access_rule = "signed in: changes of the person's queues, releases and sources only"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seat = ""
        self.background: list[asyncio.Task[None]] = []
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also when it ends by an error or is cancelled: a seat that is never given back would lock its person out.
            self.give_back_seat()

    async def connect(self) -> None:
        self.joined: set[str] = set()
        self.looked_at = 0.0
        self.over = False
        self.looking = asyncio.Lock()
        self.waiting: dict[str, dict[str, Any]] = {}
        # Accepted first: a browser learns the code of a close only from a socket that was open.
        await self.accept()
        if not await self.look_again():
            return
        if not self.take_seat():
            await self.close(code=TOO_MANY)
            return
        await self.send_json({"type": "hello"})
        self.background = [asyncio.create_task(self.keep_rights()), asyncio.create_task(self.keep_flushing())]

    def take_seat(self) -> bool:
        """Count this socket to its person; False when he has as many as one person may have."""
        seat = next(name for name in self.joined if name.startswith("person."))
        if OPEN[seat] >= settings.SECONDLOOK["SOCKETS_PER_PERSON"]:
            return False
        OPEN[seat] += 1
        self.seat = seat
        return True

    def give_back_seat(self) -> None:
        for task in self.background:
            task.cancel()
        if self.seat:
            OPEN[self.seat] -= 1
            if not OPEN[self.seat]:
                del OPEN[self.seat]
        self.seat = ""

    async def disconnect(self, code: int) -> None:
        self.give_back_seat()
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """Nothing is taken from a page over the socket: whoever sends, is no page of ours."""
        await note_message(self.scope)
        await self.close(code=4400)

    async def changed(self, event: dict[str, Any]) -> None:
        """A broadcast: remembered once per object until the next flush, with all that was said of it."""
        if len(self.waiting) < MOST_WAITING:
            name, more = f"{event['kind']}.{event['id']}", {"held": True} if event.get("held") else {}
            self.waiting[name] = self.waiting.get(name, {}) | {"type": event["kind"], "id": event["id"]} | more

    async def rights_changed(self, event: dict[str, Any]) -> None:
        """The person's roles, sessions or account changed: look at once."""
        await self.look_again()

    async def keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(COALESCE_S)
            waiting, self.waiting = self.waiting, {}
            # A right may have been lost without a word, when the channel layer was away.
            if waiting and time.monotonic() - self.looked_at > FRESH_S and not await self.look_again():
                return
            for name, message in waiting.items():
                if name in self.joined and not self.over:
                    await self.send_json(message)

    async def keep_rights(self) -> None:
        """Look at session and rights again and again; a person who lost them hears nothing more."""
        while await self.look_again():
            await asyncio.sleep(RECHECK_S)

    async def look_again(self) -> bool:
        """Bring the groups in line with session and rights; False, and closed, when nothing may be heard any more.

        Rights that cannot be looked up are not trusted any longer; the page comes back by itself.
        """
        # One look after the other: of two at once the older answer might be the last to count.
        async with self.looking:
            if self.over:
                return False
            try:
                self.over = not await self.refresh_groups()
                code = SIGNED_OUT
            except Locked:
                self.over, code = True, LOCKED
            except AWAY:
                logger.warning("live socket closed: rights cannot be looked up")
                self.over, code = True, TRY_AGAIN
            if self.over:
                await self.close(code=code)
            return not self.over

    async def refresh_groups(self) -> bool:
        """Join what the person may see now and leave the rest; False when nobody is signed in any more."""
        asked_at = time.monotonic()
        wanted = await visible_groups(self.scope)
        if wanted is None:
            return False
        for group in wanted - self.joined:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in self.joined - wanted:
            await self.channel_layer.group_discard(group, self.channel_name)
        self.joined, self.looked_at = wanted, asked_at
        return True


@database_sync_to_async  # type: ignore[untyped-decorator]
def note_message(scope: dict[str, Any]) -> None:
    """Somebody tried to send over the socket; what he sent is not kept."""
    refusals.note(scope, Refused(code="socket_message"), door="socket")


@database_sync_to_async  # type: ignore[untyped-decorator]
def visible_groups(scope: dict[str, Any]) -> set[str] | None:
    """The groups of everything that the session's person may see; None when the session is over."""
    person = session_person(scope)
    if person is None:
        return None
    queues: set[UUID] = set(queues_for(person, Right.SEE_EVENTS).values_list("pk", flat=True))
    sources: set[UUID] = set(sources_for(person).values_list("pk", flat=True))
    releases: set[UUID] = set(manifests_for(person).values_list("pk", flat=True)[:200])
    named: list[tuple[str, set[Any]]] = [
        ("queue", queues),
        ("source", sources),
        ("release", releases),
        ("person", {person.pk}),
    ]
    return {f"{kind}.{pk}" for kind, keys in named for pk in keys}


def session_person(scope: dict[str, Any]) -> User | None:
    """Who the session belongs to, read from the store: a sign-out elsewhere counts at once. Raises Locked.

    Nobody when no page would open to the session either: without the second factor, or too long after single sign-on.
    """
    session = scope.get("session")
    if session is None or session.session_key is None:
        return None
    request = HttpRequest()
    request.session = type(session._wrapped if hasattr(session, "_wrapped") else session)(session.session_key)
    person = get_user(request)
    if lock.is_locked(request.session, person):
        raise Locked
    if not isinstance(person, User) or not person.is_active:
        return None
    return None if hindrance(request.session, person) else person
