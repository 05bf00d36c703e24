"""The whole connector: broker, pictures and uplink around one database, until it is told to stop."""

import contextlib
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from inference.edge import log
from inference.edge.gate import Gate
from inference.edge.outbox import Outbox
from inference.edge.uplink import Uplink
from inference.edge.version import VERSION
from inference.frigate.broker import Broker
from inference.frigate.config import Config
from inference.frigate.inbox import Inbox
from inference.frigate.intake import Intake, Tally
from inference.frigate.nvr import Nvr
from inference.frigate.pictures import Pictures
from inference.frigate.rules import digest


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run needs: the configuration, where its relative paths start, the server, and the secrets."""

    config: Config
    base: Path
    data: Path
    url: str
    token: str
    password: str | None = None


def run(setup: Setup, stop: threading.Event) -> None:
    """Run until `stop` is set; what is stored but not sent waits for the next run. Raises `EdgeError`."""
    config = setup.config
    outbox = Outbox(setup.data, quota_bytes=round(config.outbox.quota_mb * 2**20), dead_items=config.outbox.dead_items)
    try:
        nvr = Nvr(config.frigate, setup.base)
        try:
            _run(setup, outbox, nvr, stop)
        finally:
            nvr.close()
    finally:
        outbox.close()


def _run(setup: Setup, outbox: Outbox, nvr: Nvr, stop: threading.Event) -> None:
    config = setup.config
    gate = Gate(config.server.pause_when_open, outbox.waiting)
    uplink = Uplink(config.server, setup.url, setup.token, outbox, gate)
    inbox = Inbox(outbox, config.frigate.most_waiting)
    tally = Tally(outbox)
    woken = threading.Event()
    intake = Intake(config, inbox, tally, woken.set)
    pictures = Pictures(config, nvr, inbox, outbox, intake, tally, gate, woken)
    client_id = config.mqtt.client_id or f"secondlook-{config.frigate.name}"
    broker = Broker(config.mqtt, client_id, setup.password, setup.base, intake.take, pictures.catch_up_soon)
    log.write(
        "connector_started", version=VERSION, frigate=config.frigate.name, rules=digest(config),
        waiting=inbox.waiting(), to_send=outbox.waiting(),
    )  # fmt: skip
    parts = (uplink, pictures, broker)
    for part in parts:
        part.start()
    try:
        stop.wait()
    finally:
        for part in reversed(parts):
            part.stop()
        with contextlib.suppress(sqlite3.Error):
            tally.flush()
        log.write("connector_stopped", waiting=inbox.waiting(), to_send=outbox.waiting())
