"""Many sightings of one track become one candidate for an event: its best frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.edge.actions import Done
from inference.edge.config import FoldConfig, RuleConfig
from inference.edge.frames import Captured
from inference.edge.rules import Match, Seen, chosen
from inference.vision.session import Look


@dataclass(frozen=True, slots=True)
class Sighting:
    """A frame that was looked at: everything that an event about it needs."""

    frame: Captured
    look: Look
    seen: tuple[Seen, ...]
    rules_ms: float
    action: Done | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may become an event: the best sighting of a track, the rule, and the subject in that frame."""

    rule: RuleConfig
    order: int
    sighting: Sighting
    subject: Seen
    began_s: float

    @property
    def confidence(self) -> float:
        """The subject's confidence in the best frame."""
        return self.subject.detection.confidence


class Fold:
    """Gathers sightings per track for `window_s` and gives one candidate per track; again only after `again_s`."""

    def __init__(self, config: FoldConfig, salt: str) -> None:
        """`salt` is random per run; it decides which tracks are in a sample."""
        self._config = config
        self._salt = salt
        self._open: dict[int, Candidate] = {}
        self._done: dict[int, float] = {}

    def update(self, sighting: Sighting, matches: Iterable[Match], alive: Sequence[int]) -> list[Candidate]:
        """Take in one frame; the candidates that are ripe: their window is over or their track has ended."""
        now = sighting.frame.at_s
        for match in matches:
            if match.rule.event is None:
                continue
            for seen in match.seen:
                self._gather(Candidate(match.rule, match.order, sighting, seen, now))
        living = set(alive)
        ripe = [
            track
            for track, candidate in self._open.items()
            if track not in living or now - candidate.began_s >= self._config.window_s
        ]
        self._done = {track: at for track, at in self._done.items() if track in living}
        return [self._close(track, now) for track in ripe]

    def flush(self) -> list[Candidate]:
        """All open candidates, before a cut or the end of a source; every track is forgotten."""
        left = list(self._open.values())
        self._open.clear()
        self._done.clear()
        return left

    def _gather(self, new: Candidate) -> None:
        track = new.subject.track.id
        # A track outside the sample is left alone, so that it can still become an event by another rule.
        if self._is_done(track, new.began_s) or not chosen(f"{self._salt} {track} {new.rule.name}", new.rule.sample):
            return
        held = self._open.get(track)
        if held is None or _better(new, held):
            began = new.began_s if held is None else held.began_s
            self._open[track] = Candidate(new.rule, new.order, new.sighting, new.subject, began)

    def _is_done(self, track: int, now: float) -> bool:
        at = self._done.get(track)
        return at is not None and (self._config.again_s is None or now - at < self._config.again_s)

    def _close(self, track: int, now: float) -> Candidate:
        self._done[track] = now
        return self._open.pop(track)


def _better(new: Candidate, held: Candidate) -> bool:
    """An earlier rule is better; with the same rule, the clearer view."""
    return (-new.order, new.confidence) > (-held.order, held.confidence)
