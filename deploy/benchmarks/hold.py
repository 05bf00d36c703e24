"""Held events: from a verdict to the answer in the machine's hands, embedded, beside a bare request of the same run.

Budget: answered within 300 ms of the key press on loopback (p95). The key is the verdict's POST, as the desk sends it;
painting takes no part in it.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.benchmarks.intake import event, issue_token
from deploy.demo_process import ROOT, DemoProcess

ROUNDS = 60
BUDGET_MS = 300


def main() -> None:
    with TemporaryDirectory() as name, DemoProcess(Path(name) / "serve", "serve") as server:
        source, person = issue_token(server), person_token(server)
        call = Caller(server.port)
        queue = call("GET", "queues", person)[0]["id"]
        answers = [one_round(call, source, person, queue) for _round in range(ROUNDS)]
        bare = [timed(lambda: call("GET", "queues", person)) for _round in range(ROUNDS)]
    print(f"key to answer, {ROUNDS} held events   {told(answers)}")
    print(f"one bare request                 {told(bare)}")
    print(f"  ratio of the medians {statistics.median(answers) / statistics.median(bare):.2f}")
    met = "met" if p95(answers) < BUDGET_MS else "MISSED"
    print(f"  budget: p95 < {BUDGET_MS} ms: {met}")


def person_token(server: DemoProcess) -> str:
    """A personal token of the first person of a fresh `serve`."""
    command = [sys.executable, "manage.py", "issue_token", "--person=owner", "--name=bench"]
    environment = os.environ | {"SECONDLOOK_DATA": str(server.folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Caller:
    """Calls of the API, each over a connection of its own, as a machine that asks now and then makes them."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/api/v1/"

    def __call__(self, method: str, path: str, token: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def one_round(call: Caller, source: str, person: str, queue: str) -> float:
    """Milliseconds from sending the verdict until the machine, which waits in another thread, has the answer."""
    posted = call(
        "POST", "events", source, event(b"") | {"evidence": [], "hold": {"deadline_s": 60, "fallback": "reject"}}
    )
    got: list[float] = []

    def machine() -> None:
        state = call("GET", f"events/{posted['id']}/answer?wait=20", source)
        got.append(time.perf_counter())
        assert state["state"] == "answered", state

    waiting = threading.Thread(target=machine)
    waiting.start()
    claim = call("POST", f"queues/{queue}/claims", person)
    time.sleep(0.05)
    verdict = {"key": str(uuid.uuid4()), "claim_token": claim["claim"]["token"], "version": claim["item"]["version"]}
    key = time.perf_counter()
    call("POST", f"items/{claim['item']['id']}/verdicts", person, verdict | {"answer": "confirm", "complete": True})
    waiting.join()
    return (got[0] - key) * 1000


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def told(values: list[float]) -> str:
    return f"median {statistics.median(values):6.1f} ms   p95 {p95(values):6.1f} ms   worst {max(values):6.1f} ms"


if __name__ == "__main__":
    main()
