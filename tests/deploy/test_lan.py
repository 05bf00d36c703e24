"""`serve --lan` as a process, on loopback: TLS that verifies, cookies that stay, a socket, a way from plain HTTP."""

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from deploy.demo_process import DemoProcess, free_port
from tests import prepared

pytestmark = pytest.mark.slow
PLAIN = free_port()


class LanProcess(DemoProcess):
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=self.trusting())

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "tls" / "authority.crt"))

    def answers(self) -> bool:
        certificate = self.folder / "tls" / "authority.crt"
        if not certificate.exists():
            return False
        try:
            with self.client() as client:
                return client.get("/readyz").status_code == 200
        except (httpx.TransportError, ssl.SSLError):
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanProcess]:
    command = ("serve", "--lan", "--host", "127.0.0.1", "--name", "desk.plant.example", "--redirect-port", str(PLAIN))
    with LanProcess(prepared.empty(tmp_path_factory, tmp_path_factory.mktemp("lan")), *command) as process:
        yield process


def test_the_certificate_verifies_under_the_machines_names(server: LanProcess) -> None:
    for name in ("localhost", "127.0.0.1", "desk.plant.example"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
            secure = server.trusting().wrap_socket(line, server_hostname=name)
            assert secure.version() == "TLSv1.3"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_of_tls_are_refused(server: LanProcess) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line, pytest.raises(ssl.SSLError):
        old.wrap_socket(line)


def test_people_sign_in_and_cookies_are_bound_to_the_host(server: LanProcess) -> None:
    kept = json.loads((server.folder / "first-person.json").read_text(encoding="utf-8"))
    with server.client() as person:
        page = person.get("/accounts/login/")
        assert "strict-transport-security" not in page.headers
        form = {"login": kept["login"], "password": kept["password"]}
        form["csrfmiddlewaretoken"] = person.cookies["__Host-csrftoken"]
        done = person.post("/accounts/login/", data=form, headers={"Referer": str(page.url)})
        assert done.status_code == 302
        cookie = next(one for one in done.headers.get_list("set-cookie") if one.startswith("__Host-sessionid="))
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    url, origin = f"wss://localhost:{server.port}/ws/live/", f"https://localhost:{server.port}"
    with connect(url, ssl=server.trusting(), origin=origin, additional_headers={"Cookie": cookies}) as live:
        assert json.loads(live.recv(timeout=10))["type"] == "hello"


def test_other_names_are_not_served(server: LanProcess) -> None:
    with server.client() as client:
        assert client.get("/accounts/login/", headers={"Host": "evil.example"}).status_code == 400
        assert client.get("/accounts/login/", headers={"Host": "desk.plant.example"}).status_code == 200


def test_plain_http_leads_to_tls_and_only_to_us(server: LanProcess) -> None:
    plain = f"http://127.0.0.1:{PLAIN}"
    for asked, found in (("localhost", "localhost"), ("evil.example", "desk.plant.example")):
        answer = httpx.get(f"{plain}/queues/?a=b", headers={"Host": asked})
        assert answer.status_code == 307
        assert answer.headers["Location"] == f"https://{found}:{server.port}/queues/?a=b"
    assert "set-cookie" not in answer.headers
    assert httpx.post(f"{plain}/accounts/login/", data={"password": "x"}).status_code == 405


def test_a_large_body_is_refused_under_tls_too(server: LanProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        secure = server.trusting().wrap_socket(line, server_hostname="localhost")
        secure.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n")
        assert b" 413 " in secure.recv(65536)


def test_the_console_says_how_to_trust_it(server: LanProcess) -> None:
    said = server.log.read_text(encoding="utf-8")
    assert f"https://desk.plant.example:{server.port}/trust/authority.crt" in said
    assert "SHA-256" in said
    assert "PRIVATE" not in said
    key = (server.folder / "tls" / "server.key").read_text(encoding="ascii")
    assert key.splitlines()[1] not in said


def test_without_a_fitting_certificate_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="both --certificate and --key"):
        DemoProcess(tmp_path, "serve", "--lan", "--certificate", "/nowhere.pem").start()
