"""Clips from outside: MP4 and WebM, told from their bytes, and bounded by their headers before a frame is decoded.

Only as much of the containers is read as the bounds need. What the headers promise is not believed afterwards either:
the child that decodes has bounds of its own.

Sources: ISO/IEC 14496-12 (boxes `ftyp`, `moov`, `mvhd`, `trak`, `tkhd`, `mdhd`, `hdlr`, `stts`, `dref`); RFC 8794
(EBML) and RFC 9559 (Matroska).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from review.images import UnsupportedType

MP4, WEBM = "video/mp4", "video/webm"
TYPES = frozenset({MP4, WEBM})
# A header is a few dozen boxes; a file of a million tiny ones is made to cost time.
MOST_BOXES, MOST_ELEMENTS = 20_000, 100_000
MOST_DEPTH = 8
CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"})


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a clip's header says. Sizes are upright pixels; `frames` is 0 where the container does not count them."""

    content_type: str
    width: int
    height: int
    duration_s: float
    frames: int


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """The most that is taken: pixels of a frame, seconds, frames."""

    pixels: int
    seconds: float
    frames: int


class Broken(ValueError):
    """The header is not what the standard says."""


def is_clip(data: bytes) -> bool:
    """Whether the bytes begin like a container that is taken."""
    return data[4:8] == b"ftyp" or data[:4] == b"\x1a\x45\xdf\xa3"


def inspect(data: bytes, limits: ClipLimits) -> ClipFacts:
    """Read the header of a clip. Nothing is decoded.

    Raises UnsupportedType (415) for other bytes, Invalid `bad_clip`, `too_many_pixels` or `clip_too_long` (422).
    """
    try:
        facts = of_mp4(data) if data[4:8] == b"ftyp" else of_webm(data)
    except (Broken, struct.error, IndexError, OverflowError):
        raise Invalid(_("The header of the clip cannot be read."), code="bad_clip") from None
    if facts.width * facts.height > limits.pixels:
        said = {"have": facts.width * facts.height, "most": limits.pixels}
        text = _("A frame of the clip has %(have)d pixels; %(most)d are allowed.")
        raise Invalid(text % said, code="too_many_pixels")
    if facts.duration_s > limits.seconds or facts.frames > limits.frames:
        said = {"seconds": round(limits.seconds), "frames": limits.frames}
        text = _("A clip has at most %(seconds)d seconds and %(frames)d frames.")
        raise Invalid(text % said, code="clip_too_long")
    return facts


# MP4


def boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between `start` and `stop`: type, and where the content begins and ends."""
    at, count = start, 0
    while at + 8 <= stop:
        count += 1
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif size == 0:
            size = stop - at
        if size < head or at + size > stop or count > MOST_BOXES:
            raise Broken
        yield kind, at + head, at + size
        at += size


@dataclass
class Track:
    """What is known of one track while its boxes are read."""

    is_video: bool = False
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    frames: int = 0


def of_mp4(data: bytes) -> ClipFacts:
    tracks: list[Track] = []
    movie_s = 0.0
    for kind, start, stop in boxes(data, 0, len(data)):
        if kind == b"moov":
            for inner, first, last in boxes(data, start, stop):
                if inner == b"mvhd":
                    movie_s = duration(data, first)
                elif inner == b"trak":
                    tracks.append(read_track(data, first, last))
    video = next((track for track in tracks if track.is_video), None)
    if video is None or not video.width or not video.height:
        raise Broken
    longest = max(movie_s, *(track.duration_s for track in tracks))
    return ClipFacts(MP4, video.width, video.height, longest, video.frames)


def read_track(data: bytes, start: int, stop: int, track: Track | None = None, depth: int = 0) -> Track:
    track = track or Track()
    if depth > MOST_DEPTH:
        raise Broken
    for kind, first, last in boxes(data, start, stop):
        if kind in CONTAINERS:
            read_track(data, first, last, track, depth + 1)
        elif kind == b"tkhd":
            track.width, track.height = track_size(data, first, last)
        elif kind == b"mdhd":
            track.duration_s = duration(data, first)
        elif kind == b"hdlr":
            track.is_video = data[first + 8 : first + 12] == b"vide"
        elif kind == b"stts":
            track.frames = sample_count(data, first, last)
        elif kind == b"dref":
            require_own_data(data, first, last)
    return track


def duration(data: bytes, at: int) -> float:
    """Seconds of an `mvhd` or `mdhd` box (8.2.2, 8.4.2): version 0 has 32 bits for times, version 1 has 64."""
    if data[at] == 1:
        scale, length = struct.unpack_from(">IQ", data, at + 20)
    else:
        scale, length = struct.unpack_from(">II", data, at + 12)
        length = 0 if length == 0xFFFFFFFF else length
    if not scale:
        raise Broken
    return float(length / scale)


def track_size(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Upright width and height of a `tkhd` box (8.3.2): 16.16 fixed point at its end, turned by its matrix."""
    matrix = struct.unpack_from(">9i", data, stop - 44)
    width, height = (value >> 16 for value in struct.unpack_from(">II", data, stop - 8))
    sideways = matrix[0] == 0 and matrix[1] != 0
    return (height, width) if sideways else (width, height)


def sample_count(data: bytes, start: int, stop: int) -> int:
    """Frames of an `stts` box (8.6.1.2)."""
    (entries,) = struct.unpack_from(">I", data, start + 4)
    if start + 8 + entries * 8 > stop:
        raise Broken
    counted = struct.iter_unpack(">II", data[start + 8 : start + 8 + entries * 8])
    return sum(count for count, _length in counted)


def require_own_data(data: bytes, start: int, stop: int) -> None:
    """Refuse a `dref` box (8.7.2) that says the frames lie in another file or at an address."""
    for _kind, first, _last in boxes(data, start + 8, stop):
        if not data[first + 3] & 1:
            raise Broken


# WebM

EBML, SEGMENT, INFO, TRACKS, TRACK = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE
DOC_TYPE, SCALE, DURATION, VIDEO, WIDTH, HEIGHT = 0x4282, 0x2AD7B1, 0x4489, 0xE0, 0xB0, 0xBA
CLUSTER, TIMESTAMP, SIMPLE_BLOCK, BLOCK_GROUP = 0x1F43B675, 0xE7, 0xA3, 0xA0
INSIDE = frozenset({SEGMENT, INFO, TRACKS, TRACK, VIDEO, EBML, CLUSTER})
UNKNOWN = -1


@dataclass
class Walk:
    """What a walk over the elements of a WebM file has found so far."""

    doc_type: bytes = b""
    scale_ns: int = 1_000_000
    duration: float = 0.0
    width: int = 0
    height: int = 0
    last_timestamp: int = 0
    blocks: int = 0


def of_webm(data: bytes) -> ClipFacts:
    if data[:4] != b"\x1a\x45\xdf\xa3":
        raise UnsupportedType(_("Only MP4 and WebM clips are taken."))
    found = Walk()
    walk(data, found)
    if found.doc_type != b"webm" or not found.width or not found.height:
        raise Broken
    # A live recording does not know its length; its last cluster tells.
    length = max(found.duration, float(found.last_timestamp)) * found.scale_ns / 1e9
    return ClipFacts(WEBM, found.width, found.height, length, found.blocks)


def walk(data: bytes, found: Walk) -> None:
    """Go over the elements from the first to the last, as they lie: into a container one goes by going on.

    So the sizes of containers do not matter, which a live recording does not know.
    """
    at = 0
    for _number in range(MOST_ELEMENTS):
        if at >= len(data):
            return
        element, at = vint(data, at, keep_marker=True)
        size, at = vint(data, at, keep_marker=False)
        if element in INSIDE:
            continue
        if size == UNKNOWN:
            raise Broken
        # What lies beyond the end of a recording that broke off is for the decoder to find out.
        note(element, data[at : at + min(size, 16)], found)
        at += size
    raise Broken


def note(element: int, value: bytes, found: Walk) -> None:
    if element == DOC_TYPE:
        found.doc_type = value.rstrip(b"\0")
    elif element == SCALE:
        found.scale_ns = int.from_bytes(value)
    elif element == DURATION:
        found.duration = max(0.0, struct.unpack(">f" if len(value) == 4 else ">d", value)[0])
    elif element == WIDTH:
        found.width = int.from_bytes(value)
    elif element == HEIGHT:
        found.height = int.from_bytes(value)
    elif element == TIMESTAMP:
        found.last_timestamp = max(found.last_timestamp, int.from_bytes(value))
    elif element in {SIMPLE_BLOCK, BLOCK_GROUP}:
        found.blocks += 1


def vint(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-size integer (RFC 8794, section 4) and where it ends; all ones as a size is `UNKNOWN`."""
    first = data[at]
    length = 9 - first.bit_length()
    if length > 8 or at + length > len(data):
        raise Broken
    raw = int.from_bytes(data[at : at + length])
    if keep_marker:
        return raw, at + length
    value = raw & ((1 << (7 * length)) - 1)
    return (UNKNOWN if value == (1 << (7 * length)) - 1 else value), at + length
