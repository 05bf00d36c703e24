"""nginx's configuration says the same as the settings, and the reference deployment works as a whole."""

import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
from django.conf import settings as configured
from websockets.sync.client import connect

from deploy.benchmarks.intake import event
from deploy.benchmarks.load import multipart
from deploy.demo_process import free_port
from deploy.limits.bodies import BATCH, ORDINARY, SIGN_IN, SIGN_IN_PATHS, BodyLimits
from deploy.limits.doorkeeper import Patience
from deploy.proxy.configuration import Proxy
from deploy.reference.plan import ROOT, Plan
from tests.factories import jpeg

LIMITS = BodyLimits(picture=123_456, event=7_890)


@pytest.fixture
def proxy(tmp_path: Path) -> Proxy:
    from datetime import UTC, datetime

    from deploy.tls.authority import Authority, Names

    authority = Authority(tmp_path / "tls")
    authority.prepare(Names.of(["localhost"]), datetime.now(UTC))
    files = authority.server
    listen = f"127.0.0.1:{free_port()}"
    return Proxy(listen, ("localhost",), files.certificate, files.key, tmp_path, tmp_path, 1, 2, LIMITS)


def locations(text: str) -> dict[str, str]:
    return dict(re.findall(r"location ([^{]+) \{\n(.*?)\n        \}", text, re.DOTALL))


def most(block: str) -> int:
    found = re.search(r"client_max_body_size (\d+);", block)
    assert found
    return int(found[1])


def test_bodies_have_the_same_bounds_as_in_the_server(proxy: Proxy) -> None:
    text = proxy.text()
    found = locations(text)
    assert most(text) == ORDINARY
    assert most(found["= /api/v1/events"]) == LIMITS.largest
    assert most(found["= /api/v1/events/batch"]) == BATCH
    assert most(found["/api/v1/evidence/"]) == LIMITS.picture
    assert most(found["/-anonymous/"]) == ORDINARY
    assert most(found["/uploads/"]) == LIMITS.upload
    assert "client_max_body_size" not in found["/-visitor/"]
    (sign_in,) = [block for name, block in found.items() if "accounts" in name]
    assert most(sign_in) == SIGN_IN
    pattern = next(name for name in found if "accounts" in name).removeprefix("~ ")
    assert all(re.match(pattern, path.decode()) for path in SIGN_IN_PATHS)


def test_slow_clients_have_the_same_time_as_in_the_server(proxy: Proxy) -> None:
    patience, text = Patience(), proxy.text()
    for name, seconds in (
        ("client_header_timeout", patience.head_s),
        ("client_body_timeout", patience.stall_s),
        ("keepalive_timeout", patience.idle_s),
        ("send_timeout", patience.read_s),
    ):
        assert f"{name} {seconds:.0f}s;" in text


def test_what_a_client_says_of_itself_is_overwritten(proxy: Proxy) -> None:
    text = proxy.text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "$proxy_add_x_forwarded_for" not in text
    for name in ("X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP", "Forwarded", "Daphne-Root-Path"):
        assert f'proxy_set_header {name} "";' in text
    # A block with a header of its own would lose all of those above.
    assert all("proxy_set_header" not in block for block in locations(text).values())


def test_the_requests_of_an_address_are_bounded_as_in_the_server(proxy: Proxy) -> None:
    text, bounds = proxy.text(), configured.SECONDLOOK
    assert f"limit_conn connections {bounds['CONNECTIONS_PER_ADDRESS']};" in text
    assert f"limit_conn sockets {bounds['SOCKETS_PER_ADDRESS']};" in text
    assert f"zone=callers:20m rate={bounds['REQUESTS_PER_SECOND']}r/s" in text


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_takes_it(proxy: Proxy, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(replace(proxy, run=tmp_path).text(), encoding="utf-8")
    command = ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


# The whole of it


def reference(command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.reference", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def under(url: str, *, user: str, database: str) -> str:
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    return urlunsplit((parts.scheme, f"{user}:{'p' * 20}@{host}", f"/{database}", parts.query, ""))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Two roles and a database of their own, and where the rest goes."""
    url, name = os.environ["SECONDLOOK_TEST_DATABASE_URL"], f"sl_reference_{secrets.token_hex(4)}"
    parts = urlsplit(url)
    server = urlunsplit((parts.scheme, parts.netloc, "/postgres", parts.query, ""))
    with psycopg.connect(server, autocommit=True) as admin:
        for role in ("owner", "run"):
            admin.execute(f"CREATE ROLE {name}_{role} LOGIN PASSWORD '{'p' * 20}'")
        admin.execute(f"CREATE DATABASE {name} OWNER {name}_owner")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SECONDLOOK_", "DJANGO_"))}
        yield kept | {
            "SECONDLOOK_DATA": str(tmp_path / "data"),
            "SECONDLOOK_REFERENCE_PORT": str(free_port() // 4 * 2 + 1024),
            "SECONDLOOK_MIGRATION_DATABASE_URL": under(url, user=f"{name}_owner", database=name),
            "SECONDLOOK_DATABASE_URL": under(url, user=f"{name}_run", database=name),
            "SECONDLOOK_REDIS_URL": os.environ["SECONDLOOK_TEST_REDIS_URL"],
        }
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in ("owner", "run"):
            admin.execute(f"DROP ROLE {name}_{role}")


@pytest.fixture
def plan(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    """The reference deployment, up and ready."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    started = reference("start", environment)
    assert started.returncode == 0, started.stderr
    try:
        yield Plan.of_environment()
    finally:
        stopped = reference("stop", environment)
    assert "nginx" in stopped.stdout
    assert reference("status", environment).stdout.count("is not there") == 4


def manage(plan: Plan, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=plan.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_the_reference_deployment_takes_an_event_and_shows_its_picture(plan: Plan) -> None:
    seeded = json.loads(manage(plan, "seed_test", "--json").stdout.strip().splitlines()[-1])
    site = seeded["sites"][0]
    trusting = ssl.create_default_context(cafile=str(plan.authority.own.certificate))
    with httpx.Client(base_url=plan.address, verify=trusting, timeout=30) as client:
        event_id = post_event(client, site["sources"][0]["token"])
        refuse_what_is_too_much(client)
        cookies = sign_in(client, site["people"]["operator"])
        see_picture(client, picture_on(client, f"/events/{event_id}/"))
    url = f"wss://localhost:{plan.port}/ws/live/"
    with connect(url, ssl=trusting, origin=plan.address, additional_headers=cookies) as live:
        assert json.loads(live.recv(timeout=10))["type"] == "hello"
    checked = manage(plan, "check", "--deploy", "--database", "default", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    nothing_secret_in_logs(plan, site, cookies["Cookie"])


def post_event(client: httpx.Client, token: str) -> str:
    picture = jpeg()
    posted = ("application/json", json.dumps(event(picture)).encode())
    body, kind = multipart({"event": posted, "frame": ("image/jpeg", picture)})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    answer = client.post("/api/v1/events", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def refuse_what_is_too_much(client: httpx.Client) -> None:
    for path, size in (("/api/v1/events", 1_000_001), ("/accounts/login/", 65_537), ("/queues/", 1_000_001)):
        answer = client.post(path, content=b"x" * size)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), path
    assert client.request("TRACE", "/").status_code == 405
    assert client.get("/_files/probe/ready").status_code == 404
    assert client.get("/-anonymous/").status_code == 404


def sign_in(client: httpx.Client, person: dict[str, str]) -> dict[str, str]:
    """Cookies as a header."""
    page = client.get("/accounts/login/", params={"next": "/queues/", "x": "query-secret"})
    form = {"login": person["login"], "password": person["password"]}
    form["csrfmiddlewaretoken"] = client.cookies["__Host-csrftoken"]
    done = client.post("/accounts/login/", data=form, headers={"Referer": str(page.url)})
    assert done.status_code == 302, done.text[:2000]
    # nginx adds none of Django's security headers a second time.
    doubled = [name for name in set(page.headers) - {"set-cookie"} if len(page.headers.get_list(name)) > 1]
    assert doubled == []
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def picture_on(client: httpx.Client, page: str) -> str:
    """The address of the picture, once background work has made its copies."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = client.get(page)
        assert answer.status_code == 200
        if (found := re.search(r'/media/[^"]+', answer.text)) and client.get(found[0]).status_code == 200:
            return found[0]
        time.sleep(0.3)
    raise AssertionError("the picture did not come")


def see_picture(client: httpx.Client, address: str) -> None:
    picture = client.get(address)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert "x-accel-redirect" not in picture.headers
    part = client.get(address, headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    client.cookies.clear()
    assert client.get(address).status_code in {302, 401}


def nothing_secret_in_logs(plan: Plan, site: dict[str, Any], cookies: str) -> None:
    logs = "".join(path.read_text(encoding="utf-8") for path in plan.run.glob("*.log"))
    assert '"event":"request"' in logs
    secret = ["query-secret", site["sources"][0]["token"], site["people"]["operator"]["password"]]
    secret += [pair.partition("=")[2] for pair in cookies.split("; ")]
    secret += json.loads(plan.kept.read_text(encoding="utf-8")).values()
    assert [value for value in secret if value in logs] == []
