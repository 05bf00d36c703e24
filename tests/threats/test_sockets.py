"""The live socket against whoever should hear nothing: by origin, by site, after rights are gone, in any number."""

import base64
import os
import socket as sockets
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.actions.grants import take_back
from accounts.models import Session, User
from accounts.roles import Role
from deploy.asgi import application
from review import consumers
from tests import factories
from tests.factories import Place, make_item, make_person
from tests.review.test_consumers import closed, live, opened, socket, tell

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rhythm, faster."""
    monkeypatch.setattr(consumers, "COALESCE_S", 0.05)
    monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
    monkeypatch.setattr(consumers, "FRESH_S", 0.0)


@pytest.fixture
def world(transactional_db: None) -> tuple[Place, Place, User]:
    place, elsewhere = factories.make_place("yard"), factories.make_place("dock")
    return place, elsewhere, make_person("olu", Role.OPERATOR, place.site)


def test_fifty_events_at_another_site_are_not_heard(world: Any) -> None:
    """A07: through intake, as sources post them; one at home is heard."""
    place, elsewhere, person = world

    async def body() -> None:
        found = await opened(person)
        for _number in range(50):
            await sync_to_async(make_item)(elsewhere)
            await tell("queue", elsewhere.queue.pk)
        assert await found.receive_nothing(0.3)
        await tell("queue", place.queue.pk)
        assert (await found.receive_json_from())["id"] == str(place.queue.pk)
        await found.disconnect()

    live(body)


def test_nothing_is_delivered_after_a_right_is_gone_even_when_nobody_says_so(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A13: the layer swallows `rights_changed`, the regular look is far away; the delivery looks by itself."""
    place, _elsewhere, person = world
    boss = make_person("boss", Role.ADMINISTRATOR)
    monkeypatch.setattr(consumers, "RECHECK_S", 60.0)
    monkeypatch.setattr("accounts.broadcast.send", lambda *_args: None)

    async def body() -> None:
        found = await opened(person)
        await tell("queue", place.queue.pk)
        assert (await found.receive_json_from())["type"] == "queue"
        grant = await person.grants.aget()
        await sync_to_async(take_back)(grant=grant, taker=boss, reason="x", now=timezone.now())
        await tell("queue", place.queue.pk)
        assert await found.receive_nothing(0.4)
        await found.disconnect()

    live(body)


def seated(person: User, *methods: str, minutes_ago: float = 0) -> WebsocketCommunicator:
    """A socket in the browser of a person who signed in like this."""
    client = Client()
    factories.sign_in(client, person, *methods, minutes_ago=minutes_ago)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()
    headers = [(b"cookie", cookie), (b"host", b"testserver"), (b"origin", b"http://testserver")]
    return WebsocketCommunicator(application, "/ws/live/", headers=headers)


def test_a_session_without_the_factor_that_a_role_asks_for_hears_nothing_more(world: Any) -> None:
    person = world[2]

    async def body() -> None:
        bare, proved = await sync_to_async(seated)(person), await sync_to_async(seated)(person, "password", "totp")
        for found in (bare, proved):
            assert (await found.connect())[0]
            assert await found.receive_json_from() == {"type": "hello"}
        await User.objects.filter(pk=person.pk).aupdate(needs_factor=True)
        assert await closed(bare) == consumers.SIGNED_OUT
        assert await proved.receive_nothing(0.3)
        await proved.disconnect()

    live(body)


def test_a_session_whose_single_sign_on_is_too_long_ago_hears_nothing_more(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world[2]

    async def body() -> None:
        found = await sync_to_async(seated)(person, "sso", minutes_ago=90)
        assert (await found.connect())[0]
        assert await found.receive_json_from() == {"type": "hello"}
        monkeypatch.setitem(settings.SECONDLOOK, "SSO_HOURS", 1)
        assert await closed(found) == consumers.SIGNED_OUT

    live(body)


def test_a_grant_that_ends_by_itself_ends_on_the_socket(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A13: nothing happens at the end of a grant that could send a message."""
    place = world[0]
    person = make_person("guest")
    grant = factories.give_role(person, Role.OPERATOR, place.site, ends_at=timezone.now() + timedelta(hours=1))
    monkeypatch.setattr(consumers, "RECHECK_S", 60.0)

    async def body() -> None:
        found = await opened(person)
        await type(grant).objects.filter(pk=grant.pk).aupdate(ends_at=timezone.now())
        await tell("queue", place.queue.pk)
        assert await found.receive_nothing(0.4)
        await found.disconnect()

    live(body)


def test_a_session_that_ended_is_closed_when_the_layer_is_dead(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A13: neither the message nor the group works any more; the look at the database is enough."""

    async def body() -> None:
        found = await opened(world[2])
        layer = get_channel_layer()

        async def dead(*_args: Any) -> None:
            raise OSError("the layer is gone")

        for name in ("group_send", "group_add", "send"):
            monkeypatch.setattr(layer, name, dead)
        await Session.objects.all().adelete()
        assert await closed(found) == consumers.SIGNED_OUT

    live(body)


def test_one_person_has_so_many_sockets_and_no_more(world: Any, settings: Any) -> None:
    """The next one is told so by its code; a closed one makes room; another person is not affected."""
    settings.SECONDLOOK = settings.SECONDLOOK | {"SOCKETS_PER_PERSON": 2}

    async def body() -> None:
        mine = [await opened(world[2]), await opened(world[2])]
        third = await sync_to_async(socket)(world[2])
        await third.connect()
        assert await closed(third) == consumers.TOO_MANY
        other = await opened(await sync_to_async(make_person)("other"))
        await mine.pop().disconnect()
        mine.append(await opened(world[2]))
        for one in [*mine, other]:
            await one.disconnect()

    live(body)
    assert not consumers.OPEN


def test_what_waits_for_a_slow_page_is_bounded(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of changes of different objects between two flushes keeps no more than so many."""
    monkeypatch.setattr(consumers, "MOST_WAITING", 10)

    async def body() -> None:
        consumer = consumers.LiveConsumer()
        consumer.waiting = {}
        for number in range(1000):
            await consumer.changed({"kind": "queue", "id": str(number)})
        assert len(consumer.waiting) == 10

    live(body)


@pytest.mark.parametrize("path", ["/ws/", "/ws/live", "/ws/live/x", "/ws/queue/1/", "/"])
def test_there_is_no_other_socket(world: Any, path: str) -> None:
    """A07."""
    from channels.testing import WebsocketCommunicator

    async def body() -> None:
        headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
        found = WebsocketCommunicator(application, path, headers=headers)
        with pytest.raises(ValueError, match="No route found"):
            await found.connect()

    live(body)


# Real handshakes (A63)


@pytest.fixture(scope="module")
def daphne(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The product's server on a port of its own, with an empty database."""
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("served")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SECONDLOOK", "DJANGO"))}
    environment |= {"SECONDLOOK_DATA": str(folder), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            wait_for(port, process, folder / "out")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(port: int, process: Any, out: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, out.read_text()
        try:
            sockets.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(out.read_text())


def handshake(port: int, *lines: str) -> int:
    """The status of an answer to a websocket handshake with these header lines."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = ["GET /ws/live/ HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    head += [f"Sec-WebSocket-Key: {key}", *lines, "", ""]
    with sockets.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("\r\n".join(head).encode())
        return int(line.recv(100).split()[1])


@pytest.mark.slow
def test_only_a_page_of_the_same_host_gets_a_handshake(daphne: int, subtests: pytest.Subtests) -> None:
    """A63: at the real server; foreign, null, missing, suffix and prefix origins. What is no address at all is 400."""
    own = f"http://127.0.0.1:{daphne}"
    host = f"Host: 127.0.0.1:{daphne}"
    assert handshake(daphne, host, f"Origin: {own}") == 101
    bad = [
        "https://evil.example",
        "null",
        "",
        f"{own}.evil.example",
        f"http://evil-127.0.0.1:{daphne}",
        f"http://127.0.0.1:{daphne + 1}",
        f"http://localhost:{daphne}",
        f"http://127.0.0.1:{daphne}@evil.example",
        "file://",
        f"ftp://127.0.0.1:{daphne}",
        "http://[::1",
    ]
    assert handshake(daphne, host, "Origin: https://evil.example") == 403
    assert handshake(daphne, host, "Origin: null") == 403
    for origin in bad:
        with subtests.test(origin):
            assert handshake(daphne, host, f"Origin: {origin}") in {400, 403}
    assert handshake(daphne, host) == 403
    assert handshake(daphne, "Host: evil.example", "Origin: http://evil.example") == 403


@pytest.mark.parametrize(
    "origin,host,opens",
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("https://localhost", "localhost", True),
        # A proxy that drops the port.
        ("https://localhost:8443", "localhost", True),
        ("http://LOCALHOST:8000", "localhost:8000", True),
        ("http://localhost:8000", "localhost:8001", False),
        ("http://127.0.0.1", "localhost", False),
        ("http://other.example", "other.example", False),
        ("http://localhost\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "localhost", False),
    ],
)
def test_origin_and_host_must_be_one(settings: Any, origin: str, host: str, opens: bool) -> None:
    """A63."""
    from deploy.origins import is_own_page

    assert is_own_page([(b"origin", origin.encode("latin-1")), (b"host", host.encode())]) is opens
    assert not is_own_page([(b"origin", origin.encode("latin-1"))] * 2 + [(b"host", host.encode())])


def test_a_wildcard_of_hosts_lets_no_foreign_page_in(settings: Any) -> None:
    """A63: and over TLS no page that came without it."""
    from deploy.origins import is_own_page

    settings.ALLOWED_HOSTS = ["*"]
    assert is_own_page([(b"origin", b"http://desk.plant"), (b"host", b"desk.plant")])
    assert not is_own_page([(b"origin", b"http://evil.example"), (b"host", b"desk.plant")])
    settings.SESSION_COOKIE_SECURE = True
    assert not is_own_page([(b"origin", b"http://desk.plant"), (b"host", b"desk.plant")])
