"""The bounds of a whole server that has few files to open, tried over real sockets."""

import contextlib
import json
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from deploy.demo_process import DemoProcess
from tests import prepared

pytestmark = pytest.mark.slow
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx"


@contextlib.contextmanager
def open_files(most: int) -> Iterator[None]:
    """`ulimit -n` for what is started meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    few = {"SECONDLOOK_CONNECTIONS_PER_ADDRESS": "200", "SECONDLOOK_SOCKETS_PER_ADDRESS": "5"}
    process = DemoProcess(prepared.empty(tmp_path_factory, tmp_path_factory.mktemp("limits")), "serve", **few)
    with open_files(256):
        process.start()
    try:
        yield process
    finally:
        process.stop()


def dial(server: DemoProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def files(server: DemoProcess) -> int:
    assert server.process is not None
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def heard(line: socket.socket) -> bytes:
    """Everything until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            found += piece
    return found


@pytest.mark.parametrize("half", [b"", HEAD, BODY], ids=["silent", "half a head", "half a body"])
def test_three_hundred_who_wait_keep_nobody_out(server: DemoProcess, half: bytes) -> None:
    crowd = [dial(server) for _ in range(300)]
    try:
        for line in crowd:
            with contextlib.suppress(ConnectionError):
                line.sendall(half)
        # A body counts as slow after two seconds.
        time.sleep(2.1 if half is BODY else 0)
        for _ in range(20):
            with httpx.Client(base_url=server.address) as person:
                assert person.get("/readyz").json()["status"] == "ok"
        # With a few to spare: at the limit itself the system gives nobody a connection.
        assert files(server) < 250
    finally:
        for line in crowd:
            line.close()


def test_who_comes_behind_a_crowd_that_came_at_once_is_answered(server: DemoProcess) -> None:
    """Taking a whole queue of connections in at once must not use up the open files: the last one would be cut off."""
    assert server.process is not None
    for _ in range(3):
        server.process.send_signal(signal.SIGSTOP)
        try:
            # As many as the system's queue holds, and one who has something to ask.
            crowd = [dial(server) for _ in range(250)]
            for line in crowd:
                line.sendall(HEAD)
            person = dial(server)
            person.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert b'{"status": "ok"}' in heard(person)
        for line in [*crowd, person]:
            line.close()


def test_a_body_that_is_too_large_never_reaches_the_disk(server: DemoProcess) -> None:
    line = dial(server)
    line.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n")
    head, _, body = heard(line).partition(b"\r\n\r\n")
    assert b" 413 " in head
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "too_large"


def test_a_client_that_keeps_sending_still_hears_why(server: DemoProcess) -> None:
    answer = httpx.post(f"{server.address}/accounts/login/", content=iter([b"x" * 65536] * 40))
    assert answer.status_code == 413


def test_a_password_of_a_megabyte_is_refused_at_once(server: DemoProcess) -> None:
    answer = httpx.post(f"{server.address}/accounts/login/", data={"login": "x", "password": "x" * 1_000_000})
    assert answer.status_code == 413


def test_a_form_of_ten_thousand_fields_is_refused(server: DemoProcess) -> None:
    with httpx.Client(base_url=server.address) as person:
        person.get("/accounts/login/")
        form = {f"f{number}": "" for number in range(10_000)} | {"csrfmiddlewaretoken": person.cookies["csrftoken"]}
        assert person.post("/accounts/login/", data=form).status_code in {400, 413}


def test_two_requests_on_one_connection_are_both_answered(server: DemoProcess) -> None:
    line = dial(server)
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    line.sendall(request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    assert heard(line).count(b'{"status": "ok"}') == 2


def signed_in(server: DemoProcess) -> dict[str, str]:
    """The first person's cookies, as a header."""
    kept = json.loads((server.folder / "first-person.json").read_text(encoding="utf-8"))
    with httpx.Client(base_url=server.address) as person:
        person.get("/accounts/login/")
        form = {"login": kept["login"], "password": kept["password"]}
        person.post("/accounts/login/", data=form | {"csrfmiddlewaretoken": person.cookies["csrftoken"]})
        return {"Cookie": f"sessionid={person.cookies['sessionid']}"}


def test_websockets_of_one_address_end_at_the_bound(server: DemoProcess) -> None:
    url, cookies = server.address.replace("http", "ws") + "/ws/live/", signed_in(server)
    with contextlib.ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(connect(url, origin=server.address, additional_headers=cookies))
        with pytest.raises(InvalidStatus) as refused, connect(url, origin=server.address, additional_headers=cookies):
            pass
        assert refused.value.response.status_code == 429
        assert httpx.get(f"{server.address}/healthz").status_code == 200
    with connect(url, origin=server.address, additional_headers=cookies) as again:
        assert json.loads(again.recv(timeout=10))["type"] == "hello"


def test_every_line_of_the_log_is_an_object_and_none_tells_a_secret(server: DemoProcess) -> None:
    evil = 'a"}\n{"x": 1}\x1b[31m%s%(x)d'
    with httpx.Client(base_url=server.address) as person:
        person.get("/nowhere/%0a%22%7d%1b%5b31m%25s", params={"q": evil, "token": "query-secret"})
        person.get("/accounts/login/")
        person.post(
            "/accounts/login/",
            data={"login": evil, "password": "password-secret", "csrfmiddlewaretoken": person.cookies["csrftoken"]},
        )
        person.get("/api/v1/source", headers={"Authorization": "Bearer token-secret", "X-Request-ID": "a b\x1b[1m"})
        person.get("/", headers={"Host": 'evil"\\n%s', "Cookie": "sessionid=cookie-secret"})
    log = (server.folder / "server.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines
    assert all("event" in line and "level" in line for line in lines)
    assert "\x1b" not in log
    for secret in ("query-secret", "password-secret", "token-secret", "cookie-secret"):
        assert secret not in log
