"""Intake of events beside a bare view that stores the same file and one row durably, embedded and in production.

Budgets with 8 clients and a 60 kB JPEG: 90 events/s embedded (Daphne, SQLite), 220 in production topology (gunicorn,
PostgreSQL, Redis), nothing lost, and a p99 below 100 ms at half of that.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import uuid6

from deploy.benchmarks.load import Figures, drive, http_request, multipart, pictures
from deploy.benchmarks.production import Database, Production, end, gunicorn, missing, wait_for
from deploy.demo_process import ROOT, DemoProcess, free_port

DURATION_S = 8.0
CLIENTS = 8
BATCH = 20
EMBEDDED, PRODUCTION = 90, 220
P99_MS = 100
Requests = Callable[[int], Iterator[http_request]]
SOURCE = ["issue_token", "--site=site-1", "--camera=camera-1", "--name=bench"]


def main() -> None:
    frames = pictures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("embedded: Daphne, SQLite")
        with DemoProcess(folder / "serve", "serve") as server:
            ours = measure(server.port, issue_token(server), frames, EMBEDDED)
        compare(ours, bare_embedded(folder / "bare", frames))
        if lacking := missing():
            print(f"production: not measured, because a service is out of reach ({lacking})")
            return
        print("production: gunicorn with 2 x 4 threads and a worker, PostgreSQL, Redis")
        with Production(folder / "production") as production:
            ours = measure(production.port, production.manage(*SOURCE), frames, PRODUCTION)
        compare(ours, bare_production(folder / "bare-production", frames))


def measure(port: int, token: str, frames: list[bytes], budget: int) -> Figures:
    """Print what a server does with each kind of request; the figures with pictures and all clients."""
    # Let the first requests, which load and compile things, be nobody's.
    drive(port, lambda _n: posts(frames, token), CLIENTS, 2.0)
    one = drive(port, lambda _n: posts(frames, token), 1, DURATION_S)
    found = drive(port, lambda _n: posts(frames, token), CLIENTS, DURATION_S)
    half = drive(port, paced(lambda _n: posts(frames, token), budget / 2), CLIENTS, DURATION_S)
    without = drive(port, lambda _n: events_alone(token), CLIENTS, DURATION_S)
    batches = drive(port, lambda _n: batches_of(token, BATCH), CLIENTS, DURATION_S)
    print(f"  60 kB JPEG, 1 client          {one}")
    print(f"  60 kB JPEG, {CLIENTS} clients         {found}")
    print(f"  the same at {budget / 2:.0f}/s            {half}")
    print(f"  metadata only, {CLIENTS} clients      {without}")
    print(f"  batches of {BATCH}, {CLIENTS} clients     {batches}   = {batches.per_second * BATCH:.0f} events/s")
    print(f"  budget >= {budget}/s: {said(found.per_second >= budget and not found.failed)}")
    print(f"  budget p99 < {P99_MS} ms at half of it: {said(half.p99_ms < P99_MS and not half.failed)}")
    return found


def said(met: bool) -> str:
    return "met" if met else "MISSED"


def compare(ours: Figures, bare: Figures) -> None:
    if bare.failed:
        raise RuntimeError(f"the bare view failed {bare.failed} times")
    print(f"  bare view, 60 kB JPEG, {CLIENTS} clients  {bare}")
    print(f"  ratio to the bare view {ours.per_second / bare.per_second:.2f}")


def issue_token(server: DemoProcess) -> str:
    """A source at the first site of a fresh `serve`."""
    return server.run_command(*SOURCE).strip()


# What clients send


def posts(frames: list[bytes], token: str) -> Iterator[http_request]:
    number = 0
    while True:
        # A few bytes behind the end of the picture make every file its own, as in life.
        picture = frames[number % len(frames)] + uuid6.uuid7().bytes
        number += 1
        body, content_type = multipart(
            {"event": ("application/json", json.dumps(event(picture)).encode()), "frame": ("image/jpeg", picture)}
        )
        yield "POST", "/api/v1/events", body, {"Authorization": f"Bearer {token}", "Content-Type": content_type}


def events_alone(token: str) -> Iterator[http_request]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while True:
        yield "POST", "/api/v1/events", json.dumps(event(b"") | {"evidence": []}).encode(), headers


def batches_of(token: str, size: int) -> Iterator[http_request]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while True:
        several = [event(b"") | {"evidence": []} for _number in range(size)]
        yield "POST", "/api/v1/events/batch", json.dumps({"events": several}).encode(), headers


def paced(requests: Requests, per_second: float) -> Requests:
    """The same requests, all clients together no faster than this: each waits for its place in the row."""
    lock, places, begin = threading.Lock(), iter(range(10**9)), time.perf_counter()

    def waiting(client: int) -> Iterator[http_request]:
        for one in requests(client):
            with lock:
                place = next(places)
            time.sleep(max(0.0, begin + place / per_second - time.perf_counter()))
            yield one

    return waiting


def event(picture: bytes) -> dict[str, object]:
    sha256 = hashlib.sha256(picture).hexdigest()
    return {
        "event_id": str(uuid6.uuid7()),
        "captured_at": datetime.now(UTC).isoformat(),
        "kind": "unsure",
        "frame": {"width": 640, "height": 480},
        "model": {"name": "person-detector", "version": "1.2.0"},
        "task": "detection",
        "reporting_floor": 0.25,
        "thresholds": {"person": 0.6},
        "predictions": [{"id": "p1", "class": "person", "confidence": 0.42, "box": [41.0, 20.0, 88.0, 210.0]}],
        "subject": ["p1"],
        "evidence": [{"name": "frame", "role": "frame", "sha256": sha256, "content_type": "image/jpeg"}],
    }


# The bare view


def bare_embedded(folder: Path, frames: list[bytes]) -> Figures:
    folder.mkdir(parents=True)
    port = free_port()
    return bare_run([sys.executable, "-m", "deploy.benchmarks.bare", str(folder), str(port)], {}, port, frames)


def bare_production(folder: Path, frames: list[bytes]) -> Figures:
    folder.mkdir(parents=True)
    port = free_port()
    with Database() as database:
        places = {"BARE_FOLDER": str(folder), "BARE_DATABASE": database.url}
        return bare_run(gunicorn("deploy.benchmarks.bare_wsgi:application", port), places, port, frames)


def bare_run(command: list[str], environment: dict[str, str], port: int, frames: list[bytes]) -> Figures:
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        drive(port, lambda _n: bare_posts(frames), CLIENTS, 1.0)
        return drive(port, lambda _n: bare_posts(frames), CLIENTS, DURATION_S)
    finally:
        end(process)


def bare_posts(frames: list[bytes]) -> Iterator[http_request]:
    number = 0
    while True:
        body, content_type = multipart({"frame": ("image/jpeg", frames[number % len(frames)])})
        number += 1
        yield "POST", "/events", body, {"Content-Type": content_type}


if __name__ == "__main__":
    main()
