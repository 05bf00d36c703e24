"""The body of an event, as `POST /api/v1/events` takes it."""

from dataclasses import dataclass
from typing import Any

import msgspec

from inference.edge import clock
from inference.edge.config import Config
from inference.edge.fold import Candidate, Sighting
from inference.edge.rules import Seen
from inference.edge.version import VERSION
from inference.vision.session import Detection

# Level 6 of the evidence levels: the raw frame.
_RAW = 6


@dataclass(frozen=True, slots=True)
class Stamps:
    """What stays the same for a run of the agent and is stamped on each of its events."""

    config: Config
    rules_sha256: str
    model_name: str
    model_sha256: str
    boot_id: str


def encode(stamps: Stamps, candidate: Candidate, *, event_id: str, seq: int, sha256: str, repeat: bool) -> bytes:
    """The JSON of an event about a candidate; `sha256` is its frame's.

    A repeat is flagged and its chance of being posted left out, because it is not known.
    """
    config, sighting, rule = stamps.config, candidate.sighting, candidate.rule
    assert rule.event is not None
    height, width = sighting.frame.image.shape[:2]
    ids = {seen.track.id: f"p{number}" for number, seen in enumerate(sighting.seen, 1)}
    body: dict[str, Any] = {
        "event_id": event_id,
        "captured_at": clock.stamp(sighting.frame.captured_at),
        "kind": rule.event.kind,
        "frame": {"width": width, "height": height},
        "model": {"name": stamps.model_name, "version": config.model.version, "sha256": stamps.model_sha256},
        "task": "detection",
        "reporting_floor": config.reporting_floor,
        "thresholds": config.thresholds,
        "predictions": [_prediction(ids[seen.track.id], seen) for seen in sighting.seen],
        "subject": [ids[candidate.subject.track.id]],
        "flags": [*rule.event.flags, *(["repeat"] if repeat else [])],
        "rule": rule.name,
        "evidence": [_evidence(sha256)],
        "stamps": _stamps(stamps, seq),
        "latency_ms": _latency(sighting),
        "context": {**config.context, **_footage(sighting)},
        "historical": False,
    }
    if config.camera is not None:
        body["camera"] = config.camera
    if not repeat:
        body["sampling_probability"] = rule.sample
    if sighting.action is not None:
        body["action"] = {"name": sighting.action.name, "done_at": clock.stamp(sighting.action.done_at)}
    return msgspec.json.encode(body)


def _prediction(name: str, seen: Seen) -> dict[str, Any]:
    detection: Detection = seen.detection
    return {
        "id": name,
        "class": detection.name,
        "confidence": detection.confidence,
        "box": list(detection.box),
        "track": f"t{seen.track.id}",
    }


def _evidence(sha256: str) -> dict[str, Any]:
    return {
        "name": "frame",
        "role": "frame",
        "sha256": sha256,
        "content_type": "image/jpeg",
        "offset": [0, 0],
        "scale": 1.0,
        "level": _RAW,
    }


def _stamps(stamps: Stamps, seq: int) -> dict[str, Any]:
    return {
        "agent": VERSION,
        "config": stamps.config.version,
        "rules": stamps.rules_sha256,
        "boot_id": stamps.boot_id,
        "seq": seq,
        "clock": clock.state(),
    }


def _latency(sighting: Sighting) -> dict[str, float]:
    stages = {
        "capture": sighting.frame.capture_ms,
        "preprocess": sighting.look.preprocess_ms,
        "inference": sighting.look.inference_ms,
        "rules": sighting.rules_ms,
    }
    return {name: round(value, 3) for name, value in stages.items()}


def _footage(sighting: Sighting) -> dict[str, str]:
    footage = sighting.frame.footage
    return {} if footage is None else {"footage": footage.name, "frame": str(sighting.frame.position)}
