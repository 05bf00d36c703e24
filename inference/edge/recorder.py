"""From candidates to stored events, in a thread of its own: the main loop only hands over."""

import queue
import sqlite3
import threading
import time
from collections import deque

import uuid6

from inference.edge import body, log
from inference.edge.body import Stamps
from inference.edge.fold import Candidate
from inference.edge.gate import Gate
from inference.edge.memory import Known, Memory
from inference.edge.outbox import Blob, Outbox
from inference.vision import images

_IDLE_S = 0.25


class Recorder:
    """Decides which candidates are posted and when, encodes them, and stores them in the outbox.

    Fresh sightings keep `min_interval_s` between them. Of those that repeat what was posted before, one is posted per
    `repeat_every_s`: the one that was posted least often among those seen since the last repeat.
    """

    def __init__(self, stamps: Stamps, outbox: Outbox, gate: Gate) -> None:
        self.dropped = 0
        self.stored = 0
        self._stamps = stamps
        self._pace = stamps.config.pace
        self._outbox = outbox
        self._gate = gate
        self._memory = Memory(outbox, self._pace)
        self._handed: queue.Queue[Candidate] = queue.Queue(maxsize=self._pace.pending)
        self._fresh: deque[Candidate] = deque()
        self._repeat: tuple[Known, Candidate] | None = None
        self._last_fresh_s = float("-inf")
        self._last_repeat_s = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def offer(self, candidate: Candidate) -> None:
        """Hand over a candidate; never waits. When the queue is full it is dropped and counted."""
        try:
            self._handed.put_nowait(candidate)
        except queue.Full:
            self.dropped += 1
            log.warn("candidate_dropped", reason="recorder_busy", rule=candidate.rule.name)

    def stop(self) -> None:
        """Store what was handed over, at once, and end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._handed.empty() and not self._fresh):
            try:
                self._step()
            except Exception as error:  # noqa: BLE001  top of a thread: the next candidate gets its chance
                self.dropped += 1
                log.warn("record_failed", problem=f"{type(error).__name__}: {error}")
        log.write("recorder_stopped", stored=self.stored, dropped=self.dropped)

    def _step(self) -> None:
        self._take()
        if self._gate.closed():
            self._discard_pending()
            return
        now = time.monotonic()
        if self._fresh and (now - self._last_fresh_s >= self._pace.min_interval_s or self._stopping.is_set()):
            self._last_fresh_s = now
            self._store_fresh(self._fresh.popleft())
        self._post_repeat(now)

    def _take(self) -> None:
        """Wait a little for a candidate and sort it into fresh ones and repeats."""
        try:
            candidate = self._handed.get(timeout=self._wait_s())
        except queue.Empty:
            return
        known = self._memory.recall(candidate) if self._pace.repeat_every_s is not None else None
        if known is not None:
            if self._repeat is None or known.posted < self._repeat[0].posted:
                self._repeat = (known, candidate)
            return
        self._fresh.append(candidate)
        if len(self._fresh) > self._pace.pending:
            dropped = self._fresh.popleft()
            self.dropped += 1
            log.warn("candidate_dropped", reason="too_many_pending", rule=dropped.rule.name)

    def _wait_s(self) -> float:
        if self._stopping.is_set():
            return 0.001
        if not self._fresh:
            return _IDLE_S
        return min(_IDLE_S, max(0.001, self._last_fresh_s + self._pace.min_interval_s - time.monotonic()))

    def _post_repeat(self, now: float) -> None:
        every = self._pace.repeat_every_s
        if self._repeat is None or every is None or now - self._last_repeat_s < every:
            return
        known, candidate = self._repeat
        self._repeat = None
        self._last_repeat_s = now
        self._store(candidate, known)

    def _store_fresh(self, candidate: Candidate) -> None:
        """What waited may have become a repeat of what was stored meanwhile."""
        if self._pace.repeat_every_s is None or self._memory.recall(candidate) is None:
            self._store(candidate, None)

    def _discard_pending(self) -> None:
        held = len(self._fresh) + (self._repeat is not None)
        self._fresh.clear()
        self._repeat = None
        if held:
            self._gate.skipped += held

    def _store(self, candidate: Candidate, known: Known | None) -> None:
        jpeg = images.encode_jpeg(candidate.sighting.frame.image, self._stamps.config.jpeg_quality)
        sha256 = images.digest(jpeg)
        event_id = str(uuid6.uuid7())
        try:
            seq = self._outbox.add(
                event_id,
                lambda seq: body.encode(
                    self._stamps, candidate, event_id=event_id, seq=seq, sha256=sha256, repeat=known is not None
                ),
                (Blob("frame", jpeg, "image/jpeg"),),
                self._memory.note(candidate, known),
            )
        except (OSError, sqlite3.Error) as error:
            self.dropped += 1
            log.warn("event_not_stored", problem=str(error), rule=candidate.rule.name)
            return
        self.stored += 1
        detection = candidate.subject.detection
        log.write(
            "event_stored", seq=seq, event_id=event_id, rule=candidate.rule.name, subject=detection.name,
            confidence=detection.confidence, repeat=known is not None,
        )  # fmt: skip
