"""Two sources, one of them flooding: what the other one notices, embedded.

Callers take turns at the threads of the server (deploy/limits/fair.py), so the quiet one waits for at most one of the
events of the other, and not for all of them.
"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.benchmarks.intake import event, issue_token
from deploy.benchmarks.load import Figures, drive, http_request
from deploy.demo_process import DemoProcess

DURATION_S = 8.0
FLOODERS = 32


def main() -> None:
    with TemporaryDirectory() as name, DemoProcess(Path(name) / "serve", "serve") as server:
        quiet, loud = issue_token(server), issue_token(server)
        alone = drive(server.port, lambda _n: posts(quiet, pause_s=0.05), 1, DURATION_S)
        flood: list[Figures] = []
        noise = threading.Thread(
            target=lambda: flood.append(drive(server.port, lambda _n: posts(loud), FLOODERS, DURATION_S + 2))
        )
        noise.start()
        time.sleep(1)
        beside = drive(server.port, lambda _n: posts(quiet, pause_s=0.05), 1, DURATION_S)
        noise.join()
    print(f"a quiet source alone             {alone}")
    print(f"beside {FLOODERS} connections that flood  {beside}")
    print(f"the flood itself                 {flood[0]}")
    print(f"  ratio of the quiet source's p95 {beside.p95_ms / alone.p95_ms:.2f}")


def posts(token: str, pause_s: float = 0.0) -> Iterator[http_request]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while True:
        if pause_s:
            time.sleep(pause_s)
        body = json.dumps(event(b"") | {"evidence": []}).encode()
        yield "POST", "/api/v1/events", body, headers


if __name__ == "__main__":
    main()
