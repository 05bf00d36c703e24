"""The main loop: newest frame, infer, rules, action; then hand over what may become an event.

Nothing here waits for a disk or a network: capture, recording and sending have threads of their own.
"""

import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import psutil  # type: ignore[import-untyped, unused-ignore]

from inference.edge import log, rules
from inference.edge.actions import Actions
from inference.edge.body import Stamps
from inference.edge.capture import CaptureThread, source_of
from inference.edge.config import Config, check_classes
from inference.edge.fold import Fold, Sighting
from inference.edge.frames import Captured
from inference.edge.gate import Gate
from inference.edge.outbox import Outbox
from inference.edge.recorder import Recorder
from inference.edge.rules import Rules, Seen
from inference.edge.uplink import Uplink
from inference.edge.version import VERSION
from inference.vision.exceptions import VisionError
from inference.vision.session import Detector
from inference.vision.tracker import Tracker

_HEALTH_EVERY_S = 60.0
_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run needs: the configuration, where its relative paths start, and the way to the server."""

    config: Config
    base: Path
    data: Path
    url: str
    token: str


def run(setup: Setup, stop: threading.Event) -> None:
    """Run until the source ends or `stop` is set; what is stored but not sent waits for the next run.

    Raises `EdgeError` or `VisionError` when the agent cannot start or its source fails.
    """
    config = setup.config
    cv2.setNumThreads(1)
    detector = open_model(config, setup.base)
    check_classes(config, detector.classes)
    outbox = Outbox(setup.data, quota_bytes=round(config.outbox.quota_mb * 2**20), dead_items=config.outbox.dead_items)
    try:
        _run(setup, detector, outbox, stop)
    finally:
        outbox.close()


def open_model(config: Config, base: Path) -> Detector:
    """The model of a configuration, with its digest checked. Raises `ModelError`."""
    model = config.model
    return Detector.open(
        base / model.path,
        sha256=model.sha256,
        threads=model.threads,
        classes=model.classes,
        spec=model.input.spec() if model.input is not None else None,
    )


def _run(setup: Setup, detector: Detector, outbox: Outbox, stop: threading.Event) -> None:
    config = setup.config
    stamps = Stamps(
        config,
        rules.digest(config),
        config.model.name or Path(config.model.path).stem,
        detector.sha256,
        boot_id=str(uuid.uuid4()),
    )
    gate = Gate(config.server.pause_when_open, outbox.waiting)
    recorder = Recorder(stamps, outbox, gate)
    uplink = Uplink(config.server, setup.url, setup.token, outbox, gate)
    capture = CaptureThread(source_of(config.source, setup.base))
    log.write(
        "agent_started", version=VERSION, model=stamps.model_name, sha256=stamps.model_sha256,
        head=detector.decoder.name, rules=stamps.rules_sha256, boot_id=stamps.boot_id, camera=config.camera,
        waiting=outbox.waiting(),
    )  # fmt: skip
    for part in (recorder, uplink, capture):
        part.start()
    try:
        Loop(config, detector, recorder, stamps.boot_id).run(capture, stop)
    finally:
        capture.stop()
        recorder.stop()
        if not stop.is_set() and capture.error is None:
            _drain(outbox, uplink, stop)
        uplink.stop()
        log.write("agent_stopped", waiting=outbox.waiting())
    if capture.error is not None:
        raise capture.error


def _drain(outbox: Outbox, uplink: Uplink, stop: threading.Event) -> None:
    """After the last frame: send what waits, as long as the server takes it."""
    while outbox.waiting() and not uplink.failing and not stop.wait(_POLL_S):
        pass


class Loop:
    """What happens to each frame."""

    def __init__(self, config: Config, detector: Detector, recorder: Recorder, salt: str) -> None:
        self.looks = 0
        self.failures = 0
        self._config = config
        self._detector = detector
        self._recorder = recorder
        self._tracker = Tracker(min_iou=config.fold.min_iou, max_lost=config.fold.max_lost)
        self._rules = Rules(config)
        self._actions = Actions(config.outputs)
        self._fold = Fold(config.fold, salt)
        self._health = Health()

    def run(self, capture: CaptureThread, stop: threading.Event) -> None:
        """Until `stop` is set or the source has ended."""
        while not stop.is_set() and not capture.latest.ended:
            frame = capture.latest.get(_POLL_S)
            if frame is not None:
                self.look_at(frame)
            self._health.report(self, capture, self._recorder, self._actions)
        self._hand_over_all()

    def look_at(self, frame: Captured) -> None:
        """Infer, act, and hand over the candidates that are ripe."""
        if frame.cut:
            self._hand_over_all()
            self._tracker.reset()
        try:
            look = self._detector.look(frame.image, self._config.reporting_floor)
        except VisionError as error:
            self.failures += 1
            log.warn("look_failed", code=error.code, problem=error.message)
            return
        self.looks += 1
        self._health.add(look.inference_ms)
        started = time.perf_counter()
        tracks = self._tracker.update(look.detections)
        seen = tuple(Seen(d, track) for d, track in zip(look.detections, tracks, strict=True))
        matches = self._rules.evaluate(seen)
        fresh = (time.monotonic() - frame.monotonic_s) * 1e3 <= self._config.source.max_age_ms
        action = self._actions.act([match.rule for match in matches], frame.at_s, fresh=fresh)
        sighting = Sighting(frame, look, seen, (time.perf_counter() - started) * 1e3, action)
        for candidate in self._fold.update(sighting, matches, [track.id for track in self._tracker.tracks]):
            self._recorder.offer(candidate)

    def _hand_over_all(self) -> None:
        for candidate in self._fold.flush():
            self._recorder.offer(candidate)


class Health:
    """A line a minute: how the agent itself is doing."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._times_ms: deque[float] = deque(maxlen=1000)
        self._due_s = time.monotonic() + _HEALTH_EVERY_S

    def add(self, inference_ms: float) -> None:
        """Note one inference."""
        self._times_ms.append(inference_ms)

    def report(self, loop: Loop, capture: CaptureThread, recorder: Recorder, actions: Actions) -> None:
        """Write the line when it is due."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + _HEALTH_EVERY_S
        times = sorted(self._times_ms) or [0.0]
        log.write(
            "health",
            looks=loop.looks,
            look_failures=loop.failures,
            frames_dropped=capture.latest.dropped,
            actions=actions.fired,
            actions_too_old=actions.too_old,
            events_stored=recorder.stored,
            candidates_dropped=recorder.dropped,
            inference_ms_p50=round(times[len(times) // 2], 2),
            inference_ms_p95=round(times[int(len(times) * 0.95)], 2),
            cpu_percent=self._process.cpu_percent(),
            memory_mb=round(self._process.memory_info().rss / 2**20, 1),
        )
