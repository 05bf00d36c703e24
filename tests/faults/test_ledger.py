"""F01, F04, F11: fifty kills, resets and lost answers; an independent ledger and the database agree to the event."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from deploy.demo_process import ROOT
from inference.edge.outbox import figures
from tests.faults.invariants import doubled_keys, query_of
from tests.faults.mixed_ledger import MixedLedger
from tests.faults.product import Product
from tests.faults.proxy import Incident, Proxy
from tests.faults.services import wait

pytestmark = pytest.mark.slow
SEED = 4711
SERVER_KILLS, AGENT_KILLS, OF_EACH = 11, 3, 12
AGENT = """
camera = "{camera}"
data = "agent-data"
reporting_floor = 0.4
[source]
file = "{root}/deploy/demo/yard.mp4"
loop = {loop}
realtime = {loop}
infer_every = 5
[model]
path = "{root}/deploy/demo/nanodet-coco80-416.onnx"
[server]
url = "http://127.0.0.1:{port}"
retry_min_s = 0.05
retry_max_s = 0.3
[[rules]]
name = "unsure"
confidence = [0.4, 0.6]
event = {{ kind = "unsure" }}
"""


class Agent:
    """The device's own program at the second camera, which can be killed and goes on where it was."""

    def __init__(self, product: Product, port: int, folder: Path) -> None:
        self.source, self.port, self.folder = product.site["sources"][1], port, folder
        self.log = folder / "agent.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, loop: bool = True) -> None:
        config = self.folder / "agent.toml"
        text = AGENT.format(root=ROOT, camera=self.source["camera"], port=self.port, loop=str(loop).lower())
        config.write_text(text, encoding="utf-8")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inference.edge.cli", "run", "--config", str(config)],
                cwd=ROOT,
                env=os.environ | {"SECONDLOOK_TOKEN": self.source["token"]},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def finish(self) -> None:
        """Once through the footage, and until everything is sent."""
        self.kill()
        self.start(loop=False)
        assert self.process is not None
        assert self.process.wait(120) == 0, self.log.read_text(encoding="utf-8")[-2000:]


@pytest.fixture
def at_end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_after_fifty_incidents_nothing_is_lost_and_nothing_is_there_twice(
    embedded: Product, folder: Path, at_end: ExitStack
) -> None:
    dice = Random(SEED)
    proxy = Proxy(embedded.port, dice)
    at_end.callback(proxy.close)
    agent = Agent(embedded, proxy.port, folder)
    at_end.callback(agent.kill)
    agent.start()
    ledgers = start_ledgers(embedded, proxy, at_end)
    incidents = [*Incident] * OF_EACH + ["server"] * SERVER_KILLS + ["agent"] * AGENT_KILLS
    assert len(incidents) == 50
    dice.shuffle(incidents)
    for incident in incidents:
        some_more_events(ledgers, dice.randint(1, 8))
        if incident == "server":
            embedded.kill()
            embedded.start()
        elif incident == "agent":
            agent.kill()
            agent.start()
        else:
            proxy.cause(Incident(incident))
    agent.finish()
    stop(ledgers)
    assert len(proxy.happened) == OF_EACH * len(Incident)
    agrees(embedded, ledgers)
    what_the_agent_counted(embedded, agent)


def test_after_lost_answers_and_kills_postgresql_agrees_as_well(production: Product, at_end: ExitStack) -> None:
    dice = Random(SEED)
    proxy = Proxy(production.port, dice)
    at_end.callback(proxy.close)
    ledgers = start_ledgers(production, proxy, at_end)
    incidents = [*Incident] * 6 + ["server"] * 2
    dice.shuffle(incidents)
    for incident in incidents:
        some_more_events(ledgers, dice.randint(1, 8))
        if incident == "server":
            production.kill()
            production.start()
        else:
            proxy.cause(Incident(incident))
    stop(ledgers)
    agrees(production, ledgers)


def start_ledgers(product: Product, proxy: Proxy, at_end: ExitStack) -> list[MixedLedger]:
    """Two, so that the server has always something in hand."""
    ledgers = [MixedLedger(product, proxy.port, Random(SEED + number)) for number in range(2)]
    for ledger in ledgers:
        at_end.callback(ledger.stopping.set)
        ledger.start()
    return ledgers


def some_more_events(ledgers: list[MixedLedger], count: int) -> None:
    wanted = promised(ledgers) + count

    def there() -> bool:
        assert all(ledger.is_alive() for ledger in ledgers), [ledger.unexpected for ledger in ledgers]
        return promised(ledgers) >= wanted

    wait(there, "no more events are taken")


def promised(ledgers: list[MixedLedger]) -> int:
    return sum(len(ledger.promised) for ledger in ledgers)


def stop(ledgers: list[MixedLedger]) -> None:
    for ledger in ledgers:
        ledger.stopping.set()
    for ledger in ledgers:
        ledger.join(30)
        assert not ledger.is_alive()
        assert ledger.unexpected == []


def agrees(product: Product, ledgers: list[MixedLedger]) -> None:
    """What was promised is there once with its bytes; what was only sent is there at most once; nothing else is."""
    query = query_of(product)
    camera = product.site["sources"][0]["camera"]
    stored = [key_of(key) for (key,) in query(f"SELECT event_id FROM review_event WHERE camera_name = '{camera}'")]
    must = {key: pictures for ledger in ledgers for key, pictures in ledger.promised.items()}
    may = set().union(*(ledger.sent for ledger in ledgers))
    assert len(stored) == len(set(stored))
    assert must.keys() <= set(stored) <= may
    linked: dict[str, set[str]] = {}
    sql = (
        "SELECT e.event_id, s.sha256 FROM review_event e JOIN review_eventevidence v ON v.event_id = e.id "
        "JOIN review_evidence s ON s.id = v.evidence_id"
    )
    for key, sha256 in query(sql):
        linked.setdefault(key_of(key), set()).add(sha256)
    for key, pictures in must.items():
        assert pictures <= linked.get(key, set())
        for sha256 in pictures:
            assert digests(product, sha256) == [sha256]
    held = dict(query("SELECT e.event_id, h.state FROM review_hold h JOIN review_event e ON e.id = h.event_id"))
    states = {key_of(key): state for key, state in held.items()}
    assert all(states[key] == state for ledger in ledgers for key, state in ledger.held.items())
    assert doubled_keys(query) == []
    assert len(query("SELECT DISTINCT event_id FROM review_item")) == len(query("SELECT event_id FROM review_item"))
    found = product.checked()
    assert (found["files"], found["audit"]["ok"]) == ([], True)


def digests(product: Product, sha256: str) -> list[str]:
    """Of every file that has this name."""
    found = (product.folder / "media" / "evidence").glob(f"*/{sha256[:2]}/{sha256}")
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in found]


def key_of(key: Any) -> str:
    return str(UUID(str(key)))


def what_the_agent_counted(product: Product, agent: Agent) -> None:
    """The device numbers its events without a gap: the server has each number once, and none waits."""
    said = figures(agent.folder / "agent-data")
    camera = agent.source["camera"]
    found = query_of(product)(f"SELECT stamps FROM review_event WHERE camera_name = '{camera}'")
    numbers = [json.loads(stamps)["seq"] for (stamps,) in found]
    assert said["waiting"] == said["dead"] == 0
    assert len(numbers) > AGENT_KILLS
    assert sorted(numbers) == list(range(1, said["last_seq"] + 1))
