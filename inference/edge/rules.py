"""Declarative rules: which predictions of a frame act, and which become an event."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from inference.edge.config import Config, RuleConfig
from inference.vision.session import Detection
from inference.vision.tracker import Track


@dataclass(frozen=True, slots=True)
class Seen:
    """One prediction of a frame with its track."""

    detection: Detection
    track: Track


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds for some predictions of a frame; `order` is its place in the file, the first wins."""

    rule: RuleConfig
    order: int
    seen: tuple[Seen, ...]


@dataclass(slots=True)
class Rules:
    """Rules with what they remember: for how many looks each track has met each rule."""

    config: Config
    _zones: dict[str, NDArray[np.float32]] = field(init=False)
    _dwell: dict[tuple[int, int], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._zones = {name: np.array(points, np.float32) for name, points in self.config.zones.items()}

    def evaluate(self, seen: Sequence[Seen]) -> list[Match]:
        """The rules that hold for a frame, in the order of the file."""
        dwell: dict[tuple[int, int], int] = {}
        matches = []
        for order, rule in enumerate(self.config.rules):
            meeting = [item for item in seen if self._meets(rule, item.detection)]
            for item in meeting:
                key = (order, item.track.id)
                dwell[key] = self._dwell.get(key, 0) + 1
            stayed = tuple(item for item in meeting if dwell[order, item.track.id] >= rule.dwell)
            if len(stayed) >= rule.count:
                matches.append(Match(rule, order, stayed))
        self._dwell = dwell
        return matches

    def _meets(self, rule: RuleConfig, detection: Detection) -> bool:
        low, high = rule.confidence
        within = low <= detection.confidence and (detection.confidence < high or high == 1.0)
        if not within or (rule.classes is not None and detection.name not in rule.classes):
            return False
        return rule.zone is None or self._stands_in(self._zones[rule.zone], detection)

    @staticmethod
    def _stands_in(zone: NDArray[np.float32], detection: Detection) -> bool:
        """Whether the middle of the box's lower edge, where a thing touches the ground, lies in the polygon."""
        x, y, width, height = detection.box
        return bool(cv2.pointPolygonTest(zone, (x + width / 2, y + height), False) >= 0)


def digest(config: Config) -> str:
    """`sha256:...` over what decides: rules, zones, thresholds and the reporting floor."""
    deciding = {
        "rules": config.rules,
        "zones": config.zones,
        "thresholds": config.thresholds,
        "reporting_floor": config.reporting_floor,
    }
    return "sha256:" + hashlib.sha256(msgspec.json.encode(deciding, order="deterministic")).hexdigest()


def chosen(key: str, share: float) -> bool:
    """Whether a thing with this random key is in a sample of `share` (0..1); 2 % is a subset of 5 %."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return number < share * 2**64
