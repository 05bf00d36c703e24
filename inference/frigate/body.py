"""The body of an event about a tracked object, as `POST /api/v1/events` takes it.

Made once and stored: a repeat is the same bytes. Nothing in it depends on when or how often it is made, so that even a
connector that lost its disk says the same of the same object.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from inference.client.client import event_body
from inference.client.picture import Picture
from inference.client.prediction import Prediction
from inference.edge import clock
from inference.edge.version import VERSION
from inference.frigate.config import Config
from inference.frigate.rules import Reason, digest
from inference.frigate.tracked import Corners, Tracked

# Names of this connector's events; chosen once, at random, and never changed.
NAMESPACE = UUID("5d9c9a52-52c1-4b0e-9a59-0f0ab0f6c6d1")
_LEAST_PX = 1.0


def event_id(server: str, pk: str) -> UUID:
    """One event for each object of one Frigate, however often it is told of."""
    return uuid5(NAMESPACE, f"{server}/{pk}")


def encode(
    config: Config,
    tracked: Tracked,
    reason: Reason,
    *,
    picture: Picture | None,
    whole: bool,
    size: tuple[int, int] | None,
    missing: str | None,
) -> bytes:
    """The JSON of an event. `whole`: the picture shows the whole frame; `size` is the detect stream's.

    Of `picture` (if whole) and `size` one must be there: a frame without a size is no frame.
    """
    frame = (picture.width, picture.height) if picture is not None and whole else size
    assert frame is not None
    body = event_body(
        pictures={"frame" if whole else "snapshot": picture} if picture is not None else {},
        model=_model(config),
        predictions=_predictions(config, tracked, frame, _scale(tracked, frame, size)),
        kind=reason.kind,
        frame=frame,
    )
    body |= {
        "event_id": str(event_id(config.frigate.name, tracked.id)),
        "captured_at": _instant(tracked.captured_s),
        "camera": camera_name(config, tracked.camera),
        "reporting_floor": config.reporting_floor,
        "thresholds": config.thresholds,
        "subject": ["p1"],
        "flags": [*reason.flags, *([f"picture_{missing}"] if missing else [])],
        "rule": reason.rule,
        "sampling_probability": reason.sample,
        "stamps": {"agent": f"frigate/{VERSION}", "config": config.version, "rules": digest(config)},
        "context": {**config.context, **_context(config, tracked)},
    }
    return msgspec.json.encode(body)


def camera_name(config: Config, camera: str) -> str:
    known = config.cameras.get(camera)
    return known.name if known is not None and known.name is not None else camera


def _model(config: Config) -> tuple[str, ...]:
    model = config.model
    return (model.name, model.version, model.sha256) if model.sha256 else (model.name, model.version)


def _scale(tracked: Tracked, frame: tuple[int, int], size: tuple[int, int] | None) -> tuple[float, float]:
    """What one unit of the object's boxes is in pixels of the frame, across and down."""
    if tracked.relative:
        return float(frame[0]), float(frame[1])
    assert size is not None
    return frame[0] / size[0], frame[1] / size[1]


def _predictions(
    config: Config, tracked: Tracked, frame: tuple[int, int], scale: tuple[float, float]
) -> list[Prediction]:
    """The object first, then what was seen on it at or above the reporting floor."""
    attributes = {"sub_label": tracked.sub_label} if tracked.sub_label else {}
    box = placed(tracked.box, scale, frame)
    found = [Prediction(tracked.label, tracked.confidence, box, track=tracked.id, attributes=attributes)]
    for other in tracked.others:
        x1, y1, x2, y2 = other.box
        if other.score >= config.reporting_floor and x2 > x1 and y2 > y1:
            found.append(Prediction(other.label, other.score, placed(other.box, scale, frame)))
    return found


def placed(corners: Corners, scale: tuple[float, float], frame: tuple[int, int]) -> list[float]:
    """[x, y, width, height] in pixels of the frame, within it and at least a pixel wide and high."""
    x1, x2 = _span(corners[0] * scale[0], corners[2] * scale[0], frame[0])
    y1, y2 = _span(corners[1] * scale[1], corners[3] * scale[1], frame[1])
    return [round(x1, 2), round(y1, 2), round(x2 - x1, 2), round(y2 - y1, 2)]


def _span(low: float, high: float, most: int) -> tuple[float, float]:
    low = min(max(low, 0.0), most - _LEAST_PX)
    return low, max(min(high, float(most)), low + _LEAST_PX)


def _context(config: Config, tracked: Tracked) -> dict[str, Any]:
    said: dict[str, Any] = {
        "frigate": config.frigate.name,
        "frigate_id": tracked.id,
        "zones": ", ".join(tracked.zones)[:500] or None,
        "top_score": tracked.top_score,
        "started_at": _instant(tracked.started_s),
        "ended_at": _instant(tracked.ended_s) if tracked.ended_s is not None else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _instant(seconds: float) -> str:
    return clock.stamp(datetime.fromtimestamp(seconds, UTC))
