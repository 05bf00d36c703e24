"""When a picture was taken: what its camera wrote into it, or when its file was written, or when it came."""

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from review.images import UNREADABLE, open_picture

EXIF, TAKEN, DIGITISED, CHANGED = 0x8769, 0x9003, 0x9004, 0x0132
OFFSET_TAKEN, OFFSET_DIGITISED = 0x9011, 0x9012
# No digital camera wrote a time before; cameras with an empty battery begin later and are taken at their word.
FIRST = 1990
AHEAD = timedelta(days=1)
STAMP = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


def taken_at(data: bytes, zone: ZoneInfo, *, written_at: datetime | None, received_at: datetime) -> datetime:
    """The instant, by the first that is plausible: EXIF (without an offset: the site's clock), the file, the upload."""
    stamped = exif_time(data, zone)
    for found in (stamped, written_at):
        if found is not None and found.year >= FIRST and found <= received_at + AHEAD:
            return found
    return received_at


def exif_time(data: bytes, zone: ZoneInfo) -> datetime | None:
    """What the camera wrote (Exif 3.0, 4.6.6: DateTimeOriginal and its offset). None for anything unreadable."""
    try:
        picture = open_picture(data)
        tags = picture.getexif()
        more = tags.get_ifd(EXIF)
    except UNREADABLE:
        return None
    for value, offset in (
        (more.get(TAKEN), more.get(OFFSET_TAKEN)),
        (more.get(DIGITISED), more.get(OFFSET_DIGITISED)),
        (tags.get(CHANGED), None),
    ):
        if found := instant(value, offset, zone):
            return found
    return None


def instant(value: object, offset: object, zone: ZoneInfo) -> datetime | None:
    stamp = STAMP.fullmatch(value.strip("\0 ")) if isinstance(value, str) else None
    if stamp is None:
        return None
    shift = OFFSET.fullmatch(offset.strip("\0 ")) if isinstance(offset, str) else None
    try:
        at = datetime(*(int(part) for part in stamp.groups()), tzinfo=zone_of(shift) if shift else zone)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    return at if FIRST <= at.year < 9998 else None


def zone_of(shift: re.Match[str]) -> timezone:
    minutes = int(shift[2]) * 60 + int(shift[3])
    return timezone(timedelta(minutes=-minutes if shift[1] == "-" else minutes))
