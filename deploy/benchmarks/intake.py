"""Intake of events with a 60 kB JPEG, embedded (Daphne, SQLite), beside a bare view that stores file and row durably.

Budget: at least 90 events/s with 8 clients.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import uuid6

from deploy.benchmarks.load import Figures, drive, http_request, multipart, pictures
from deploy.demo_process import ROOT, DemoProcess, free_port

DURATION_S = 8.0
CLIENTS = (1, 8)
BUDGET = 90


def main() -> None:
    frames = pictures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with DemoProcess(folder / "serve", "serve") as server:
            token = issue_token(server)
            ours = {n: drive(server.port, lambda _n: posts(frames, token), n, DURATION_S) for n in CLIENTS}
        bare = {n: bare_run(folder / f"bare-{n}", frames, n) for n in CLIENTS}
    for n in CLIENTS:
        print(f"intake, {n} client{'s' if n > 1 else ''}        {ours[n]}")
        print(f"bare view, {n} client{'s' if n > 1 else ''}     {bare[n]}")
        print(f"  ratio to the bare view {ours[n].per_second / bare[n].per_second:.2f}")
    verdict = "met" if ours[8].per_second >= BUDGET else "MISSED"
    print(f"  budget: 8 clients >= {BUDGET}/s: {verdict}")


def issue_token(server: DemoProcess) -> str:
    """A source at the first site of a fresh `serve`."""
    command = [sys.executable, "manage.py", "issue_token", "--site=site-1", "--camera=camera-1", "--name=bench"]
    environment = os.environ | {"SECONDLOOK_DATA": str(server.folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


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


def bare_run(folder: Path, frames: list[bytes], clients: int) -> Figures:
    folder.mkdir(parents=True)
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "deploy.benchmarks.bare", str(folder), str(port)], cwd=ROOT)
    try:
        wait_for(port)
        return drive(port, lambda _n: bare_posts(frames), clients, DURATION_S)
    finally:
        process.terminate()
        process.wait()


def bare_posts(frames: list[bytes]) -> Iterator[http_request]:
    number = 0
    while True:
        body, content_type = multipart({"frame": ("image/jpeg", frames[number % len(frames)])})
        number += 1
        yield "POST", "/events", body, {"Content-Type": content_type}


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the bare view did not start")


if __name__ == "__main__":
    main()
