"""ZIP archives from outside. Nothing is ever unpacked to a path: entries are read by their number, within bounds.

Everything is counted while it is read; what an archive says about itself is believed only where it makes it smaller.
"""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import IO

from review.models.upload import NAME_LETTERS, UploadRole
from review.uploads.names import is_hidden, role_of
from review.uploads.staging import Counting

# A picture hardly shrinks and text shrinks to a twentieth: what unpacks to more than a hundred times was made to.
RATIO = 100
SLACK = 10_000_000
# Of one entry in the list at the end of an archive: 46 bytes, its name, and what writers add to it (APPNOTE 4.3.12).
ENTRY_BYTES = 46 + 300
END, END64, LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
END_SIZE, LONGEST_COMMENT = 22, 65535
ENCRYPTED = 0x1 | 0x40 | 0x2000
READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar", ".cab", ".iso")
# What damaged or lying entries make the reader raise.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


class ArchiveRefused(Exception):
    """An archive of which nothing is taken; `code` is one of review/uploads/reasons.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TooMuch(Exception):
    """An entry holds more bytes than one file may have."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many entries, and how many bytes unpacked in total; bytes of a picture, and of any other file."""

    entries: int
    total: int
    picture: int
    other: int

    def of(self, role: str) -> int:
        return self.picture if role == UploadRole.PICTURE else self.other


@dataclass(frozen=True, slots=True)
class Member:
    """An entry: its number, its name as written, what it holds, or the code of why it is left out."""

    number: int
    name: str
    role: UploadRole
    written_at: datetime | None
    size: int = 0
    sha256: str = ""
    reason: str = ""


def open_archive(file: IO[bytes], bounds: Bounds) -> zipfile.ZipFile:
    """Open an archive whose list of entries is small enough to be held. Raises ArchiveRefused."""
    require_short_list(file, bounds)
    try:
        archive = zipfile.ZipFile(file)
    except BROKEN:
        raise ArchiveRefused("bad_archive") from None
    if len(archive.infolist()) > bounds.entries:
        raise ArchiveRefused("too_many_files")
    return archive


def require_short_list(file: IO[bytes], bounds: Bounds) -> None:
    """Judge the list of entries by the end of the archive: a million entries would fill the memory just by opening."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END_SIZE - LONGEST_COMMENT - 20))
    tail = file.read(END_SIZE + LONGEST_COMMENT + 20)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_SIZE:
        raise ArchiveRefused("bad_archive")
    count, length = struct.unpack("<HL", tail[at + 10 : at + 16])
    if at >= 20 and tail[at - 20 : at - 16] == LOCATOR:
        count, length = long_list(file, tail[at - 20 : at])
    if count > bounds.entries or length > bounds.entries * ENTRY_BYTES:
        raise ArchiveRefused("too_many_files")


def long_list(file: IO[bytes], locator: bytes) -> tuple[int, int]:
    """Number of entries and bytes of their list, where the end has 64 bits (APPNOTE 4.3.14)."""
    (where,) = struct.unpack("<Q", locator[8:16])
    try:
        file.seek(where)
        head = file.read(56)
    except (OSError, OverflowError, ValueError):
        raise ArchiveRefused("bad_archive") from None
    if len(head) < 56 or head[:4] != END64:
        raise ArchiveRefused("bad_archive")
    count, length = struct.unpack("<QQ", head[32:48])
    return count, length


def members(archive: zipfile.ZipFile, bounds: Bounds, packed: int) -> Iterator[Member]:
    """Every file of an archive of `packed` bytes, read once to its end. Folders are none. Raises ArchiveRefused.

    Nothing is written. What is left out is told with its reason and is not read any further than it takes to know that.
    """
    seen: set[str] = set()
    total = 0
    for number, info in enumerate(archive.infolist()):
        if info.is_dir():
            continue
        name = info.orig_filename
        role = role_of(name.replace("\\", "/"))
        reason = fault_of(info, role, seen)
        seen.add(folded(name))
        left = min(bounds.total, RATIO * packed + SLACK) - total
        if reason or info.file_size > bounds.of(role):
            yield Member(number, name, role, written_at(info), reason=reason or "too_large")
            continue
        counted, reason = read_through(archive, info, min(left, bounds.of(role)))
        total += counted.size
        if counted.size > left:
            raise ArchiveRefused("too_many_bytes" if total > bounds.total else "bomb")
        yield Member(number, name, role, written_at(info), counted.size, counted.sha256.hexdigest(), reason)


def read_through(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> tuple[Counting, str]:
    """Read an entry to its end for its size and digest; and why it cannot be used, if so."""
    counted = Counting(BytesIO(), most, TooMuch)
    try:
        with archive.open(info) as file:
            counted.file = file
            while counted.read():
                pass
    except TooMuch:
        return counted, "too_large"
    except BROKEN:
        return counted, "unreadable"
    return counted, "" if counted.size == info.file_size else "lying_size"


def read_member(archive: zipfile.ZipFile, number: int, most: int) -> bytes:
    """The bytes of an entry that was read through before. Raises ArchiveRefused when it is not what it was."""
    try:
        with archive.open(archive.infolist()[number]) as file:
            data = file.read(most + 1)
    except (IndexError, *BROKEN):
        raise ArchiveRefused("bad_archive") from None
    if len(data) > most:
        raise ArchiveRefused("bad_archive")
    return data


def fault_of(info: zipfile.ZipInfo, role: UploadRole, seen: set[str]) -> str:
    """Why an entry is left out by its head alone; empty when it may be read."""
    mode = info.external_attr >> 16
    name = info.orig_filename.replace("\\", "/")
    if is_bad(name):
        return "bad_name"
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return "link"
    if folded(name) in seen:
        return "duplicate_name"
    if role == UploadRole.ARCHIVE or name.lower().endswith(ARCHIVES):
        return "nested_archive"
    if role == UploadRole.OTHER:
        return "not_used"
    if info.flag_bits & ENCRYPTED:
        return "encrypted"
    return "" if info.compress_type in READ else "unknown_compression"


def is_bad(name: str) -> bool:
    """Whether a name leads outside, is hidden in part, or is longer than any that a camera or a person gives."""
    parts = name.split("/")
    return (
        not 1 <= len(name) <= NAME_LETTERS
        or name.startswith("/")
        or parts[0][1:2] == ":"
        or ".." in parts
        or is_hidden(name)
    )


def folded(name: str) -> str:
    """Equal for names that one disk or another takes for the same."""
    return unicodedata.normalize("NFC", name.replace("\\", "/")).casefold()


def written_at(info: zipfile.ZipInfo) -> datetime | None:
    """When the entry was last written, by a clock of nobody knows which zone."""
    try:
        return datetime(*info.date_time)  # noqa: DTZ001
    except ValueError:
        return None
