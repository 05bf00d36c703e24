"""Which boxes of successive frames are the same thing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.vision.boxes import Floats, iou_matrix
from inference.vision.session import Detection


@dataclass(slots=True)
class Track:
    """One thing over time: `age` in frames looked at, `lost` frames since it was last seen."""

    id: int
    name: str
    box: tuple[float, float, float, float]
    age: int = 1
    lost: int = 0


class Tracker:
    """Joins boxes of one class by overlap, best overlap first; the same input gives the same ids.

    The association step of IOU-Tracker (Bochinski et al. 2017), with a track kept for `max_lost` frames.
    """

    def __init__(self, *, min_iou: float = 0.3, max_lost: int = 5) -> None:
        self.min_iou = min_iou
        self.max_lost = max_lost
        self.tracks: list[Track] = []
        self._next_id = 1

    def update(self, detections: Sequence[Detection]) -> list[Track]:
        """The track of each detection, in their order; things not seen grow older until they are forgotten."""
        pairs = self._pairs(detections)
        for track in self.tracks:
            track.age += 1
            track.lost += 1
        result = [self._seen(pairs.get(i), detection) for i, detection in enumerate(detections)]
        self.tracks = [track for track in self.tracks if track.lost <= self.max_lost]
        return result

    def reset(self) -> None:
        """Forget all tracks after a cut in the footage; ids go on."""
        self.tracks = []

    def _seen(self, track: Track | None, detection: Detection) -> Track:
        if track is None:
            track = Track(self._next_id, detection.name, detection.box)
            self._next_id += 1
            self.tracks.append(track)
        track.box = detection.box
        track.lost = 0
        return track

    def _pairs(self, detections: Sequence[Detection]) -> dict[int, Track]:
        """Detection index -> track, greedily by overlap; ties go to the earlier detection, then the older track."""
        if not detections or not self.tracks:
            return {}
        overlap = iou_matrix(_corners(detections), _corners(self.tracks))
        same = np.array([[d.name == t.name for t in self.tracks] for d in detections])
        overlap[~same] = 0
        pairs: dict[int, Track] = {}
        taken: set[int] = set()
        for flat in np.argsort(-overlap, axis=None, kind="stable").tolist():
            row, column = divmod(flat, len(self.tracks))
            if overlap[row, column] < self.min_iou:
                break
            if row not in pairs and column not in taken:
                pairs[row] = self.tracks[column]
                taken.add(column)
        return pairs


def _corners(boxed: Sequence[Detection] | Sequence[Track]) -> Floats:
    boxes = np.array([item.box for item in boxed], np.float32)
    boxes[:, 2:] += boxes[:, :2]
    return boxes
