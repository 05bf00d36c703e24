"""What a client may take before a view runs, on one connection and with a clock of our own."""

import json
from typing import Any

import pytest
import structlog
from daphne import server as _reactor_first  # noqa: F401
from twisted.internet.testing import StringTransport

from deploy.limits.bodies import ORDINARY, SIGN_IN, BodyLimits
from deploy.limits.channel import LimitedChannel, LimitedFactory, Phase
from deploy.limits.doorkeeper import Doorkeeper
from deploy.limits.rates import MOST_KEYS, Buckets
from deploy.limits.refusals import Refusals
from deploy.limits.seats import Seats, room

HOST = b"Host: localhost\r\n"
LIMITS = BodyLimits(picture=200_000, event=50_000, archive=3_000_000)
TOKEN = b"Authorization: Bearer x\r\n"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Wire(StringTransport):
    """A transport that remembers how it was closed."""

    aborted = half_closed = False

    def abortConnection(self) -> None:
        self.aborted = True

    def loseWriteConnection(self) -> None:
        self.half_closed = True


class Server:
    """Daphne's side of a connection: notes whole requests instead of running them."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.proxy_forwarded_address_header = None
        self.root_path = ""
        self.request_buffer_size = 8192
        self.server_name = ""

    def protocol_connected(self, _request: Any) -> None: ...

    def protocol_disconnected(self, _request: Any) -> None: ...

    def create_application(self, request: Any, _scope: Any) -> None:
        self.requests.append(request)


class House:
    """A doorkeeper, and connections from wherever wanted."""

    def __init__(self, **seats: Any) -> None:
        self.clock = Clock()
        wanted = {"total": 20, "per_address": 4, "sockets_per_address": 2} | seats
        self.keeper = Doorkeeper(
            bodies=LIMITS,
            seats=Seats(**wanted),
            refusals=Refusals(),
            by_caller=Buckets(1000, 1000),
            by_address=Buckets(1000, 1000),
            clock=self.clock,
        )
        self.server = Server()
        self.factory = LimitedFactory(self.server)
        self.factory.keeper = self.keeper

    def connect(self, address: str = "192.0.2.1") -> LimitedChannel:
        self.clock.now += 0.001
        channel = self.factory.buildProtocol(None)
        channel.makeConnection(Wire(peerAddress=Peer(address)))
        return channel

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.keeper.look()


class Peer:
    def __init__(self, host: str) -> None:
        self.host, self.port = host, 1


@pytest.fixture
def house() -> House:
    return House()


def said(channel: LimitedChannel) -> tuple[int, dict[str, Any]]:
    """Status and problem document of what was answered."""
    head, _, body = channel.transport.value().partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


def head(method: bytes, path: bytes, *headers: bytes) -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + b"".join(headers) + b"\r\n"


# Bodies


@pytest.mark.parametrize(
    "method,path,credentials,most",
    [
        (b"POST", b"/api/v1/events", True, LIMITS.largest),
        (b"POST", b"/api/v1/events?x=1", True, LIMITS.largest),
        (b"POST", b"/api/v1/events", False, ORDINARY),
        (b"PUT", b"/api/v1/evidence/abc", True, LIMITS.picture),
        (b"POST", b"/api/v1/queues/x/claims", True, ORDINARY),
        (b"POST", b"//api/v1/events", True, ORDINARY),
        (b"POST", b"/API/v1/events", True, ORDINARY),
        (b"POST", b"/accounts/login/", True, SIGN_IN),
        (b"POST", b"/%61ccounts/login/", True, SIGN_IN),
        (b"POST", b"/%6d%65/security/?x=1", False, SIGN_IN),
        (b"POST", b"/api/v1/%65vents", True, ORDINARY),
        (b"POST", b"/policy/x/", False, ORDINARY),
    ],
)
def test_the_bound_of_a_body_depends_on_the_path(method: bytes, path: bytes, credentials: bool, most: int) -> None:
    assert LIMITS.most(method, path, credentials=credentials) == most


@pytest.mark.parametrize(
    "method,path,session,most",
    [
        (b"POST", b"/uploads/", True, LIMITS.upload),
        (b"POST", b"/uploads/1/files/?x=1", True, LIMITS.upload),
        (b"POST", b"/uploads/1/files/", False, ORDINARY),
        (b"PUT", b"/uploads/", True, ORDINARY),
        (b"POST", b"/%75ploads/", True, ORDINARY),
        (b"POST", b"//uploads/", True, ORDINARY),
        (b"POST", b"/queues/", True, ORDINARY),
    ],
)
def test_pictures_from_a_browser_have_room_in_a_session(method: bytes, path: bytes, session: bool, most: int) -> None:
    assert LIMITS.most(method, path, credentials=False, session=session) == most


def test_the_bounds_are_those_of_the_views(settings: Any) -> None:
    from review.api import bodies

    ours = BodyLimits.of(settings.SECONDLOOK)
    theirs = settings.SECONDLOOK["MAX_EVENT_BYTES"] + 10 * settings.SECONDLOOK["MAX_EVIDENCE_BYTES"] + bodies.ENVELOPE
    assert ours.largest == theirs
    assert ours.upload >= settings.SECONDLOOK["UPLOAD_ARCHIVE_BYTES"] + bodies.ENVELOPE


def test_an_announced_body_over_the_bound_is_refused_before_a_byte_of_it(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"POST", b"/accounts/login/", b"Content-Length: 65537\r\nExpect: 100-continue\r\n"))
    status, problem = said(channel)
    assert (status, problem["code"]) == (413, "too_large")
    assert b"100 Continue" not in channel.transport.value()
    assert channel.requests[0].content is None
    assert channel.transport.half_closed


def test_a_body_at_the_bound_comes_through(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"POST", b"/accounts/login/", b"Content-Length: 65536\r\n") + b"x" * 65536)
    assert len(house.server.requests) == 1
    assert channel.phase is Phase.SERVED


def test_a_body_of_unknown_length_is_counted_while_it_comes(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"POST", b"/accounts/login/", b"Transfer-Encoding: chunked\r\n"))
    for _ in range(17):
        channel.dataReceived(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    assert said(channel)[0] == 413
    assert channel.requests[0].content.tell() <= SIGN_IN
    assert not house.server.requests


def test_a_body_in_crumbs_is_counted_on_the_wire(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"POST", b"/accounts/login/", b"Transfer-Encoding: chunked\r\n"))
    for _ in range(300):
        channel.dataReceived((b"1;" + b"a" * 900 + b"\r\nx\r\n") * 2)
    assert said(channel)[0] == 413


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(house: House, headers: bytes) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"POST", b"/x", headers) + b"0\r\n\r\n" + head(b"GET", b"/hidden"))
    assert said(channel)[0] == 400
    assert not house.server.requests


def test_what_follows_a_refused_request_is_no_request(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"TRACE", b"/") + head(b"GET", b"/hidden"))
    channel.dataReceived(head(b"GET", b"/hidden"))
    assert said(channel)[0] == 405
    assert not house.server.requests


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"PROPFIND", b"get", b"PURGE"])
def test_methods_that_nobody_serves_are_refused(house: House, method: bytes) -> None:
    channel = house.connect()
    channel.dataReceived(head(method, b"/"))
    assert said(channel)[0] == 405


@pytest.mark.parametrize("headers", [b"X-A: b\r\n" * 101, b"X-A: " + b"b" * 30_000 + b"\r\n"])
def test_too_many_or_too_large_headers_are_refused(house: House, headers: bytes) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"GET", b"/", headers))
    assert said(channel)[0] == 400
    assert not house.server.requests


# Time


def test_headers_that_do_not_end_are_not_waited_for(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(b"GET / HTTP/1.1\r\n")
    for _ in range(10):
        house.later(1)
        channel.dataReceived(b"X-A: b\r\n")
    assert channel.phase is Phase.HEAD
    house.later(1)
    assert said(channel)[0] == 408
    house.later(3)
    assert channel.transport.aborted


def test_a_connection_that_says_nothing_is_closed_without_a_word(house: House) -> None:
    channel = house.connect()
    house.later(11)
    assert channel.transport.value() == b""
    assert channel.transport.disconnecting


def test_a_body_that_stalls_is_not_waited_for(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"POST", b"/x", b"Content-Length: 100000\r\n") + b"x" * 50_000)
    house.later(19.9)
    assert channel.phase is Phase.BODY
    house.later(1)
    assert said(channel)[0] == 408


def test_a_body_in_drops_is_not_waited_for_and_a_slow_line_is(house: House) -> None:
    dripping, slow = house.connect(), house.connect()
    for channel in (dripping, slow):
        channel.dataReceived(head(b"POST", b"/x", b"Content-Length: 900000\r\n"))
    for _ in range(70):
        dripping.dataReceived(b"x" * 10)
        slow.dataReceived(b"x" * 2000)
        house.later(1)
    assert said(dripping)[0] == 408
    assert slow.phase is Phase.BODY


def test_an_idle_connection_is_closed_after_a_while(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"GET", b"/"))
    house.server.requests[0].finish()
    house.later(74.9)
    assert not channel.transport.disconnecting
    house.later(1)
    assert channel.transport.disconnecting


def test_a_request_that_we_work_on_has_no_time_limit_here(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"GET", b"/"))
    house.later(1000)
    assert channel.phase is Phase.SERVED
    assert not channel.transport.aborted


def test_a_reader_that_does_not_read_is_cut_off_and_a_slow_one_gets_its_time(house: House) -> None:
    channel = house.connect()
    channel.dataReceived(head(b"GET", b"/"))
    channel.pauseProducing()
    channel.write(b"x" * 800_000)
    house.later(30 + 99.9)
    assert not channel.transport.aborted
    house.later(1)
    assert channel.transport.aborted


# Places


def test_the_one_that_waits_longest_makes_room_for_a_newcomer_from_its_address(house: House) -> None:
    old = [house.connect() for _ in range(4)]
    new = house.connect()
    assert [channel.transport.aborted for channel in old] == [True, False, False, False]
    assert not new.transport.aborted
    assert house.keeper.seats.count == 4


def test_whoever_is_served_keeps_the_place(house: House) -> None:
    served = [house.connect() for _ in range(4)]
    for channel in served:
        channel.dataReceived(head(b"GET", b"/"))
    new = house.connect()
    assert new.transport.aborted
    assert not any(channel.transport.aborted for channel in served)
    assert house.keeper.refusals.reasons == {"connections": 1}


def test_a_crowd_does_not_take_the_places_of_another_address() -> None:
    house = House(total=10, per_address=100)
    quiet = house.connect("192.0.2.7")
    crowd = [house.connect("198.51.100.1") for _ in range(50)]
    assert not quiet.transport.aborted
    assert sum(not channel.transport.aborted for channel in crowd) == 9


def test_a_trusted_proxy_may_have_all_the_places() -> None:
    house = House(trusted=("10.0.0.0/8",))
    assert not any(house.connect("10.1.2.3").transport.aborted for _ in range(10))


def test_a_connection_that_ends_gives_its_place_back_once(house: House) -> None:
    channel = house.connect()
    for _ in range(2):
        channel.connectionLost(None)
    assert house.keeper.seats.count == 0
    assert not house.keeper.seats.taken


def test_websockets_of_an_address_are_counted() -> None:
    seats = Seats(total=9, per_address=9, sockets_per_address=2)
    assert [seats.open_socket("a") for _ in range(3)] == [True, True, False]
    seats.close_socket("a")
    assert seats.open_socket("a")


def test_each_connection_has_room_for_its_body_and_some_files_are_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _which: (256, 4096))
    assert room(1000) == 78
    assert room(50) == 50


@pytest.mark.parametrize(
    "address,inside",
    [
        ("10.0.0.5", True),
        ("::1", True),
        ("::ffff:10.0.0.5", True),
        ("10.0.1.5", False),
        ("::ffff:10.0.1.5", False),
        ("unix", False),
    ],
)
def test_networks_of_proxies_are_understood_also_on_a_dual_stack_socket(address: str, inside: bool) -> None:
    seats = Seats(total=9, per_address=9, sockets_per_address=2, trusted=("10.0.0.0/24", "::1"))
    assert seats.is_trusted(address) is inside


# Rates


def test_more_than_the_rate_is_refused_and_another_caller_is_not(house: House) -> None:
    house.keeper.by_caller = Buckets(rate=1, burst=2)
    answers = []
    for token in (b"a", b"a", b"a", b"b"):
        channel = house.connect(f"192.0.2.{len(answers)}")
        channel.dataReceived(head(b"GET", b"/api/v1/source", b"Authorization: Bearer " + token + b"\r\n"))
        answers.append(channel.transport.value())
    assert answers[:2] == [b"", b""]
    assert b" 429 " in answers[2]
    assert b"Retry-After: 1" in answers[2]
    assert answers[3] == b""


def test_a_bucket_fills_again_and_forgets_the_rested() -> None:
    buckets = Buckets(rate=2, burst=2)
    assert [buckets.allows(b"x", 0) for _ in range(3)] == [True, True, False]
    assert buckets.allows(b"x", 0.5)
    buckets.sweep(10)
    assert not buckets.levels


def test_no_more_than_so_many_keys_are_kept_and_the_busy_one_stays() -> None:
    buckets = Buckets(rate=0.001, burst=1)
    assert buckets.allows(b"busy", 0)
    for number in range(2 * MOST_KEYS):
        buckets.allows(b"%d" % number, 1)
        if number % 1000 == 0:
            assert not buckets.allows(b"busy", 1)
    assert len(buckets.levels) == MOST_KEYS
    assert not buckets.allows(b"busy", 1)


def test_an_address_over_its_bound_leaves_no_trace_of_its_credentials(house: House) -> None:
    house.keeper.by_address = Buckets(rate=1, burst=2)
    for number in range(5):
        house.connect().dataReceived(head(b"GET", b"/", b"Authorization: Bearer %d\r\n" % number))
    assert len(house.keeper.by_caller.levels) == 2


def test_one_ipv6_network_has_one_rate(house: House) -> None:
    house.keeper.by_address = Buckets(rate=1, burst=1)
    answers = []
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "::ffff:192.0.2.1", "192.0.2.1"):
        channel = house.connect(address)
        channel.dataReceived(head(b"GET", b"/"))
        answers.append(b" 429 " in channel.transport.value())
    assert answers == [False, True, False, False, True]


# The log


def test_what_is_refused_is_said_once_a_minute() -> None:
    refusals = Refusals()
    with structlog.testing.capture_logs() as lines:
        for second in range(121):
            refusals.count("body", f"192.0.2.{second % 3}")
            refusals.say(1000.0 + second, connections=1)
    assert [line["reasons"] for line in lines] == [{"body": 1}, {"body": 60}, {"body": 60}]
    assert lines[1]["addresses"] == 3
