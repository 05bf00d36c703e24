"""What becomes of each message: junk is counted, what no rule wants is passed, the rest goes to the inbox."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inference.edge import log
from inference.edge.outbox import Outbox
from inference.frigate.config import Config
from inference.frigate.exceptions import NotStored
from inference.frigate.inbox import Inbox
from inference.frigate.rules import reason_for
from inference.frigate.tracked import Junk, Tracked, from_api, from_message


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it came: `topic` is None when it is no UTF-8; `stale` when the broker had kept it for newcomers."""

    topic: str | None
    payload: bytes
    stale: bool


class Tally:
    """Totals in memory, written to the outbox's counters now and then: a flood of junk must not wear out the disk."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._lock = threading.Lock()
        self._since: Counter[str] = Counter()

    def add(self, name: str) -> bool:
        """Count one; whether it is the first of its name since the last flush."""
        with self._lock:
            self._since[name] += 1
            return self._since[name] == 1

    def flush(self) -> dict[str, int]:
        """Write what was counted, and give it. Raises `sqlite3.Error` when the disk fails; then nothing is lost."""
        with self._lock:
            since = self._since
            self._since = Counter()
        written: list[str] = []
        try:
            for name, count in since.items():
                self._outbox.count(f"frigate_{name}", count)
                written.append(name)
        except sqlite3.Error:
            with self._lock:
                self._since.update({name: count for name, count in since.items() if name not in written})
            raise
        return dict(since)


class Intake:
    """Called by the broker's thread for messages, and by the picture thread for Frigate's list of events."""

    def __init__(self, config: Config, inbox: Inbox, tally: Tally, wake: Callable[[], None]) -> None:
        self._config = config
        self._inbox = inbox
        self._tally = tally
        self._wake = wake

    def take(self, said: Said) -> None:
        """A message of the broker. Raises `NotStored` when the disk fails."""
        if said.topic is None:
            self._junk("topic", said)
        elif said.stale:
            # Frigate asks no broker to keep an event: this is somebody else's, or very old.
            self._junk("retained", said)
        else:
            try:
                tracked = from_message(said.payload)
            except Junk as error:
                self._junk(str(error), said)
            else:
                self._offer(tracked)

    def listed(self, entry: Any) -> None:
        """An entry of Frigate's list of events; one that has not ended will be told of later."""
        try:
            tracked = from_api(entry)
        except Junk as error:
            if self._tally.add(f"junk_listed_{error}"):
                log.warn("junk_ignored", reason=f"listed_{error}")
            return
        if tracked is not None and tracked.ended:
            self._offer(tracked)

    def _offer(self, tracked: Tracked) -> None:
        reason = reason_for(self._config, tracked)
        if reason is None:
            if tracked.ended:
                self._tally.add("passed")
            return
        try:
            new = self._inbox.put(tracked, reason)
        except (OSError, sqlite3.Error) as error:
            raise NotStored(f"{type(error).__name__}: {error}") from error
        if new:
            self._tally.add("taken")
            self._wake()
            log.write(
                "object_taken", id=tracked.id, camera=tracked.camera, label=tracked.label,
                confidence=tracked.confidence, rule=reason.rule,
            )  # fmt: skip
        else:
            self._tally.add("known")

    def _junk(self, reason: str, said: Said) -> None:
        if self._tally.add(f"junk_{reason}"):
            log.warn("junk_ignored", reason=reason, topic=said.topic, bytes=len(said.payload))
