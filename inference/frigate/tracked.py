"""What Frigate says of an object that it tracked, from its MQTT messages and from its HTTP API.

Formats: Frigate's documentation, "MQTT" (`frigate/events`) and "HTTP API" (`/api/events`). In messages a box is
[x1, y1, x2, y2] in pixels of the camera's detect stream; in the API it is [x, y, width, height] as shares of it.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

MOST_BYTES = 256 * 1024
MOST_OTHERS = 20

type Seconds = Annotated[float, Meta(gt=0, lt=32503680000)]
type Share = Annotated[float, Meta(ge=0, le=1)]
type Coordinate = Annotated[float, Meta(ge=-1e6, le=1e6)]
type Corners = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
# The id becomes a part of an address, so it is held to what Frigate makes: a time and a few letters.
type Id = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,59}$")]
type Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
type Words = Annotated[list[Word], Meta(max_length=100)]


class Junk(Exception):
    """A message that is none of Frigate's; the argument is a stable word for the reason."""


class Other(Struct, frozen=True):
    """Something that was seen on the object, such as a face or a number plate."""

    label: Word
    score: Share
    box: Corners


class Tracked(Struct, frozen=True, kw_only=True):
    """An object with the picture that Frigate found best; `relative` says that boxes are shares of the frame.

    `confidence` is the model's in that picture, `top_score` the highest median that Frigate decides by.
    """

    id: Id
    camera: Word
    label: Word
    confidence: Share
    captured_s: Seconds
    started_s: Seconds
    box: Corners
    relative: bool
    ended_s: Seconds | None = None
    top_score: Share | None = None
    sub_label: Word | None = None
    false_positive: bool = False
    zones: tuple[Word, ...] = ()
    others: tuple[Other, ...] = ()

    @property
    def ended(self) -> bool:
        return self.ended_s is not None


class _Best(Struct):
    """`after.snapshot`: the frame that the snapshot shows."""

    frame_time: Seconds
    box: Corners
    score: Share
    attributes: Any = None


class _After(Struct):
    id: Id
    camera: Word
    label: Word
    frame_time: Seconds
    start_time: Seconds
    score: Share
    box: Corners
    snapshot: _Best | None = None
    end_time: Seconds | None = None
    top_score: Share | None = None
    sub_label: Any = None
    false_positive: bool | None = None
    current_zones: Words = []
    entered_zones: Words = []


class _Message(Struct):
    type: str
    after: _After


class _Data(Struct):
    box: Corners | None = None
    score: Share | None = None
    top_score: Share | None = None
    type: str | None = None
    attributes: Any = None
    snapshot_frame_time: Seconds | None = None


class _Listed(Struct):
    id: Id
    camera: Word
    label: Word
    start_time: Seconds
    end_time: Seconds | None = None
    sub_label: Any = None
    false_positive: bool | None = None
    zones: Words | None = None
    top_score: Share | None = None
    data: _Data | None = None


_read_message = msgspec.json.Decoder(_Message).decode


def from_message(payload: bytes) -> Tracked:
    """The object of a message on `frigate/events`. Raises `Junk`."""
    if len(payload) > MOST_BYTES:
        raise Junk("too_large")
    try:
        message = _read_message(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Junk("malformed") from error
    if message.type not in ("new", "update", "end"):
        raise Junk("unknown_type")
    after = message.after
    best = after.snapshot or _Best(after.frame_time, after.box, after.score)
    if not (best.box[2] > best.box[0] and best.box[3] > best.box[1]):
        raise Junk("empty_box")
    return Tracked(
        id=after.id, camera=after.camera, label=after.label, confidence=best.score, captured_s=best.frame_time,
        started_s=after.start_time, ended_s=(after.end_time or after.frame_time) if message.type == "end" else None,
        top_score=after.top_score, sub_label=_sub_label(after.sub_label), false_positive=bool(after.false_positive),
        zones=_united(after.entered_zones, after.current_zones), box=best.box, relative=False,
        others=_others(best.attributes, from_api=False),
    )  # fmt: skip


def from_api(listed: Any) -> Tracked | None:
    """The object of an entry of `/api/events`; None for what is no tracked object. Raises `Junk`."""
    try:
        found = msgspec.convert(listed, _Listed)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Junk("malformed") from error
    data = found.data
    if data is None or data.box is None or data.score is None or data.type not in (None, "object"):
        return None
    box = _corners(data.box)
    if not (box[2] > box[0] and box[3] > box[1]):
        raise Junk("empty_box")
    return Tracked(
        id=found.id, camera=found.camera, label=found.label, confidence=data.score,
        captured_s=data.snapshot_frame_time or found.start_time, started_s=found.start_time, ended_s=found.end_time,
        top_score=data.top_score if data.top_score is not None else found.top_score,
        sub_label=_sub_label(found.sub_label), false_positive=bool(found.false_positive),
        zones=tuple(found.zones or ()), box=box, relative=True, others=_others(data.attributes, from_api=True),
    )  # fmt: skip


def _corners(box: Corners) -> Corners:
    x, y, width, height = box
    return x, y, x + width, y + height


def _united(*lists: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(zone for zones in lists for zone in zones))


def _sub_label(said: Any) -> str | None:
    """A name, or a name with its score, as versions of Frigate differ."""
    name: Any = said[0] if isinstance(said, list) and said else said
    try:
        return str(msgspec.convert(name, Word))
    except msgspec.ValidationError:
        return None


def _others(said: Any, *, from_api: bool) -> tuple[Other, ...]:
    """What can be read of the attributes; the rest of the message counts without them."""
    found = []
    for one in said[:MOST_OTHERS] if isinstance(said, list) else ():
        try:
            other = msgspec.convert(one, Other)
        except msgspec.ValidationError:
            continue
        found.append(Other(other.label, other.score, _corners(other.box)) if from_api else other)
    return tuple(found)
