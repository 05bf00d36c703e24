"""The live socket: only the own groups, no commands, and nothing after rights are gone."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.actions import shifts
from accounts.actions.grants import take_back
from accounts.models import User
from accounts.roles import Role
from deploy.asgi import application
from review import consumers
from tests import factories
from tests.accounts.workstations import at_work, browser, make_workstation, untouched
from tests.factories import Place, make_person

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = (b"origin", b"http://testserver")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rhythm, faster."""
    monkeypatch.setattr(consumers, "COALESCE_S", 0.05)
    monkeypatch.setattr(consumers, "RECHECK_S", 0.05)


@pytest.fixture
def world(transactional_db: None) -> tuple[Place, Place, User]:
    place, elsewhere = factories.make_place("yard"), factories.make_place("dock")
    return place, elsewhere, make_person("olu", Role.OPERATOR, place.site)


def socket(person: User | None, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    """A connection through the whole ASGI application, as a browser of `person` makes it."""
    client = Client()
    cookie = b""
    if person is not None:
        client.force_login(person)
        cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    sent = [(b"cookie", cookie), (b"host", b"testserver"), *(headers or (ORIGIN,))]
    return WebsocketCommunicator(application, "/ws/live/", headers=sent)


def live(test: Any) -> None:
    """Run the body of a test on one event loop."""
    async_to_sync(test)()


async def opened(person: User) -> WebsocketCommunicator:
    found = await sync_to_async(socket)(person)
    assert (await found.connect())[0]
    assert await found.receive_json_from() == {"type": "hello"}
    return found


async def tell(kind: str, pk: Any) -> None:
    layer = get_channel_layer()
    await layer.group_send(f"{kind}.{pk}", {"type": "changed", "kind": kind, "id": str(pk)})


def test_nobody_listens_without_signing_in(world: Any) -> None:
    async def body() -> None:
        found = await sync_to_async(socket)(None)
        await found.connect()
        assert await closed(found) == 4401

    live(body)


@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"null", b"http://testserver.evil.example", b"http://evil-testserver"]
)
def test_a_page_of_another_origin_is_turned_away(world: Any, origin: bytes) -> None:
    async def body() -> None:
        found = await sync_to_async(socket)(world[2], (b"origin", origin))
        assert not (await found.connect())[0]

    live(body)


def test_a_client_without_an_origin_is_turned_away(world: Any) -> None:
    async def body() -> None:
        found = await sync_to_async(socket)(world[2], (b"x-nothing", b""))
        assert not (await found.connect())[0]

    live(body)


def test_changes_of_the_own_queues_arrive_and_others_do_not(world: Any) -> None:
    place, elsewhere, person = world

    async def body() -> None:
        found = await opened(person)
        for _number in range(50):
            await tell("queue", elsewhere.queue.pk)
            await tell("source", elsewhere.source.pk)
            await tell("source", place.source.pk)
        await tell("queue", place.queue.pk)
        assert await found.receive_json_from() == {"type": "queue", "id": str(place.queue.pk)}
        assert await found.receive_nothing(0.2)
        await found.disconnect()

    live(body)


def test_that_a_machine_waits_is_not_lost_among_other_changes(world: Any) -> None:
    async def body() -> None:
        found, queue = await opened(world[2]), str(world[0].queue.pk)
        layer = get_channel_layer()
        said = {"type": "changed", "kind": "queue", "id": queue}
        for more in ({}, {"held": True}, {}):
            await layer.group_send(f"queue.{queue}", said | more)
        frames = [await found.receive_json_from()]
        while not await found.receive_nothing(0.2):
            frames.append(await found.receive_json_from())
        assert sum(frame == {"type": "queue", "id": queue, "held": True} for frame in frames) == 1
        await found.disconnect()

    live(body)


def test_many_changes_of_one_queue_are_told_once(world: Any) -> None:
    async def body() -> None:
        found = await opened(world[2])
        for _number in range(50):
            await tell("queue", world[0].queue.pk)
        frames = [await found.receive_json_from()]
        while not await found.receive_nothing(0.2):
            frames.append(await found.receive_json_from())
        # A flush may fall among them, so not always exactly one.
        assert {frame["type"] for frame in frames} == {"queue"}
        assert len(frames) < 10
        await found.disconnect()

    live(body)


@pytest.mark.parametrize("message", ['{"type": "changed", "kind": "queue"}', "{", "x" * 60_000, '{"join": "queue.*"}'])
def test_whoever_talks_to_the_socket_is_cut_off(world: Any, message: str) -> None:
    async def body() -> None:
        found = await opened(world[2])
        await found.send_to(text_data=message)
        assert await found.receive_output() == {"type": "websocket.close", "code": 4400}

    live(body)


def test_bytes_cut_off_as_well(world: Any) -> None:
    async def body() -> None:
        found = await opened(world[2])
        await found.send_to(bytes_data=b"\x00\xff")
        assert (await found.receive_output())["code"] == 4400

    live(body)


async def closed(found: WebsocketCommunicator) -> int:
    """The code with which the server ends the connection."""
    while True:
        message = await found.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            return int(message["code"])


def test_a_person_who_is_deactivated_hears_nothing_more(world: Any) -> None:
    async def body() -> None:
        found = await opened(world[2])
        await get_user_model().objects.filter(pk=world[2].pk).aupdate(is_active=False)
        assert await closed(found) == 4401

    live(body)


def test_signing_out_elsewhere_ends_the_socket(world: Any) -> None:
    from accounts.models import Session

    async def body() -> None:
        found = await opened(world[2])
        await Session.objects.all().adelete()
        assert await closed(found) == 4401

    live(body)


def test_a_new_password_ends_the_socket(world: Any) -> None:
    async def body() -> None:
        found = await opened(world[2])
        person = await get_user_model().objects.aget(pk=world[2].pk)
        person.set_password("another-good-password")
        await person.asave()
        assert await closed(found) == 4401

    live(body)


def test_a_grant_that_is_taken_back_silences_the_queue(world: Any) -> None:
    place, _elsewhere, person = world
    boss = make_person("boss", Role.ADMINISTRATOR)

    async def body() -> None:
        found = await opened(person)
        grant = await person.grants.aget()
        await sync_to_async(take_back)(grant=grant, taker=boss, reason="x", now=timezone.now())
        layer = get_channel_layer()
        for _attempt in range(100):
            if not layer.groups.get(f"queue.{place.queue.pk}"):
                break
            await asyncio.sleep(0.05)
        assert not layer.groups.get(f"queue.{place.queue.pk}"), "the socket is still in the group"
        await tell("queue", place.queue.pk)
        assert await found.receive_nothing(0.3)
        await found.disconnect()

    live(body)


def test_rights_that_cannot_be_looked_up_are_not_trusted(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        found = await opened(world[2])

        async def fail(_scope: Any) -> None:
            raise OperationalError

        monkeypatch.setattr(consumers, "visible_groups", fail)
        assert await closed(found) == 1013

    live(body)


def test_a_locked_session_hears_nothing_and_is_told_so(world: Any) -> None:
    person = world[2]
    client = browser(make_workstation(person))
    shift = at_work(client, person)

    async def body() -> None:
        found = await opened_by(client)
        await sync_to_async(shifts.lock)(shift=shift, why="asked", now=timezone.now())
        assert await closed(found) == 4423
        again = await sync_to_async(socket_of)(client)
        await again.connect()
        assert await closed(again) == 4423

    live(body)


def test_a_session_that_only_time_has_locked_hears_nothing(world: Any) -> None:
    person = world[2]
    client = browser(make_workstation(person))
    shift = at_work(client, person)

    async def body() -> None:
        found = await opened_by(client)
        await sync_to_async(untouched)(shift, 60)
        assert await closed(found) == 4423

    live(body)


def socket_of(client: Client) -> WebsocketCommunicator:
    """A connection as this browser makes it."""
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    return WebsocketCommunicator(
        application, "/ws/live/", headers=[(b"cookie", cookie), (b"host", b"testserver"), ORIGIN]
    )


async def opened_by(client: Client) -> WebsocketCommunicator:
    found = await sync_to_async(socket_of)(client)
    assert (await found.connect())[0]
    assert await found.receive_json_from() == {"type": "hello"}
    return found
