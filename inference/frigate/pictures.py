"""One thread that turns objects of the inbox into events of the outbox: it fetches their pictures and waits for them.

While Frigate does not answer there is one try per back-off, not one per object.
"""

import sqlite3
import threading
import time
from dataclasses import dataclass

from inference.client.picture import Picture
from inference.edge import log
from inference.edge.backoff import Backoff
from inference.edge.gate import Gate
from inference.edge.outbox import Blob, Outbox
from inference.frigate import body
from inference.frigate.config import Config
from inference.frigate.inbox import Due, Inbox
from inference.frigate.intake import Intake, Tally
from inference.frigate.nvr import NoPicture, Nvr, NvrUnreachable

_IDLE_S = 0.5
_MOST_WAIT_S = 60.0
_AGAIN_S = 10.0
_CAUGHT_UP = "caught_up"
_REPORT_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """What is known for an event: a picture or why there is none, whether it is whole, the detect stream's size."""

    picture: Picture | None
    whole: bool
    size: tuple[int, int] | None
    missing: str | None


class Pictures:
    """Between inbox and outbox; also asks for the list of events that no message told of."""

    def __init__(
        self,
        config: Config,
        nvr: Nvr,
        inbox: Inbox,
        outbox: Outbox,
        intake: Intake,
        tally: Tally,
        gate: Gate,
        woken: threading.Event,
    ) -> None:
        self._config = config
        self._nvr = nvr
        self._inbox = inbox
        self._outbox = outbox
        self._intake = intake
        self._tally = tally
        self._gate = gate
        self._backoff = Backoff(1.0, _MOST_WAIT_S)
        self._answers = True
        self._catch_up_at_s = 0.0
        self._report_at_s = time.monotonic() + _REPORT_EVERY_S
        self._stop = threading.Event()
        self._woken = woken
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)

    def start(self) -> None:
        """Begin to fetch."""
        if self._inbox.mark(_CAUGHT_UP) is None:
            # What Frigate saw before it was connected is not asked for.
            self._inbox.note(_CAUGHT_UP, time.time() + self._config.frigate.look_back_s)
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the request that is under way; what waits is fetched next time."""
        self._stop.set()
        self._woken.set()
        self._thread.join(timeout_s)

    def catch_up_soon(self) -> None:
        """The broker was away, or we were: ask for what it did not tell."""
        self._catch_up_at_s = 0.0
        self._woken.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._step() and self._woken.wait(_IDLE_S):
                    self._woken.clear()
            except NvrUnreachable as error:
                self._stop.wait(self._unreachable(error))
            except Exception as error:  # noqa: BLE001  top of a thread: it must outlive any single failure
                log.warn("picture_failed", problem=f"{type(error).__name__}: {error}")
                self._stop.wait(self._backoff.failed())

    def _step(self) -> bool:
        """Do one thing; False when there was nothing to do."""
        self._report()
        if self._gate.closed():
            return False
        due = self._inbox.due()
        if due is not None:
            self._try(due)
        elif self._config.frigate.catch_up_every_s and time.monotonic() >= self._catch_up_at_s:
            self._catch_up()
        else:
            return False
        return True

    def _try(self, due: Due) -> None:
        """Whatever goes wrong with one object, the next ones get their turn before it is tried again."""
        try:
            self._settle(due)
        except Exception:
            self._inbox.later(due, _AGAIN_S)
            raise

    def _settle(self, due: Due) -> None:
        frigate = self._config.frigate
        try:
            found = self._look(due)
        except NvrUnreachable as error:
            if due.waited_s < frigate.unreachable_wait_s:
                raise
            log.warn("picture_given_up", id=due.tracked.id, problem=str(error))
            found = Found(None, False, self._known_size(due), "unreachable")
        else:
            self._reached()
        waits_s = {"not_there": frigate.picture_wait_s, "no_frame_size": frigate.unreachable_wait_s}
        if due.waited_s < waits_s.get(found.missing or "", 0.0):
            self._inbox.later(due, min(2.0**due.tries, _AGAIN_S))
        elif found.picture is None and (frigate.without_picture == "drop" or found.size is None):
            self._drop(due, found)
        else:
            self._store(due, found)

    def _look(self, due: Due) -> Found:
        """Raises `NvrUnreachable`."""
        size = self._known_size(due) or self._nvr.size(due.tracked.camera)
        if size is None and not due.tracked.relative:
            # A box in pixels of an unknown frame cannot be placed in a picture of another size.
            if self._tally.add("no_frame_size"):
                log.warn("detect_size_unknown", camera=due.tracked.camera, id=due.tracked.id)
            return Found(None, False, None, "no_frame_size")
        try:
            picture, whole = self._nvr.picture(due.tracked, size)
        except NoPicture as error:
            return Found(None, False, size, str(error))
        return Found(picture, whole, size, None if whole else "cropped")

    def _known_size(self, due: Due) -> tuple[int, int] | None:
        camera = self._config.cameras.get(due.tracked.camera)
        return camera.detect if camera is not None else None

    def _store(self, due: Due, found: Found) -> None:
        tracked, picture = due.tracked, found.picture
        pk = str(body.event_id(self._config.frigate.name, tracked.id))
        encoded = body.encode(
            self._config, tracked, due.reason,
            picture=picture, whole=found.whole, size=found.size, missing=found.missing,
        )  # fmt: skip
        name = "frame" if found.whole else "snapshot"
        blobs = (Blob(name, picture.data, picture.content_type),) if picture is not None else ()
        try:
            seq = self._outbox.add(pk, lambda _seq: encoded, blobs, self._inbox.done(tracked.id))
        except sqlite3.IntegrityError:
            # The event itself is waiting to be sent: its object was forgotten and told of again.
            self._inbox.drop(due.tracked.id)
            self._tally.add("known")
            return
        self._tally.add("stored" if picture is not None else "stored_without_picture")
        log.write(
            "event_stored", seq=seq, event_id=pk, id=tracked.id, rule=due.reason.rule, subject=tracked.label,
            confidence=tracked.confidence, missing=found.missing,
        )  # fmt: skip

    def _drop(self, due: Due, found: Found) -> None:
        reason = "without_picture" if found.size is not None else "no_frame_size"
        self._inbox.drop(due.tracked.id)
        self._tally.add(f"dropped_{reason}")
        log.warn("object_dropped", id=due.tracked.id, reason=reason, missing=found.missing)

    def _catch_up(self) -> None:
        """Offer what began since shortly before the last time; what is known stays as it is."""
        began_s = time.time()
        for page in self._nvr.events((self._inbox.mark(_CAUGHT_UP) or began_s) - self._config.frigate.look_back_s):
            if self._stop.is_set():
                return
            for entry in page:
                self._intake.listed(entry)
        self._reached()
        self._inbox.note(_CAUGHT_UP, max(began_s, self._inbox.mark(_CAUGHT_UP) or 0.0))
        self._catch_up_at_s = time.monotonic() + self._config.frigate.catch_up_every_s

    def _unreachable(self, error: NvrUnreachable) -> float:
        if self._answers:
            self._answers = False
            log.warn("frigate_waiting", problem=str(error))
        return self._backoff.failed()

    def _reached(self) -> None:
        self._backoff.succeeded()
        if not self._answers:
            self._answers = True
            log.write("frigate_answers")

    def _report(self) -> None:
        """A line a minute when there is something to tell."""
        if time.monotonic() < self._report_at_s:
            return
        self._report_at_s = time.monotonic() + _REPORT_EVERY_S
        self._inbox.forget()
        counted = self._tally.flush()
        if counted:
            log.write("frigate_counted", **counted, waiting=self._inbox.waiting(), to_send=self._outbox.waiting())
