"""What the device knows about its clock."""

import ctypes
import sys
from datetime import UTC, datetime

# `struct timex` is 208 bytes on 64-bit Linux; modes = 0 only reads (adjtimex(2)).
_TIMEX_BYTES = 512
_TIME_ERROR = 5


def now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


def state() -> str:
    """`synced`, `unsynced` or `unknown`, as the kernel says."""
    if not sys.platform.startswith("linux"):
        return "unknown"
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return "unknown"
    if answer < 0:
        return "unknown"
    return "unsynced" if answer == _TIME_ERROR else "synced"


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, `2026-11-23T08:15:30.120Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
