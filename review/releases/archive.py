"""A ready release as one ZIP, streamed from its files without a second copy (PKWARE APPNOTE 6.3.10).

Everything is stored uncompressed, and sizes and CRCs are known from the rows. So the archive's size is known before the
first byte, any range of it can be given, and every download of a release is the same bytes. ZIP64 records are used
where the numbers need them.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from uuid import UUID

from accounts.exceptions import NotFound
from review.models import Release, ReleaseFile, ReleaseState

from .store import CHUNK, ReleaseStore

LOCAL, CENTRAL, END, END64, LOCATOR64 = 0x04034B50, 0x02014B50, 0x06054B50, 0x06064B50, 0x07064B50
MOST_32, MOST_16 = 0xFFFFFFFF, 0xFFFF
PLAIN, ZIP64 = 20, 45
# Made on Unix, so that readers take the permissions: a regular file, rw-r--r--.
MADE_BY, REGULAR_FILE = 3 << 8, 0o100644 << 16
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive and where its local header begins; `name` is its path in the archive."""

    file: str
    name: bytes
    size: int
    crc32: int
    offset: int

    @property
    def wide(self) -> bool:
        """Whether its size needs ZIP64 in the local header."""
        return self.size >= MOST_32

    @property
    def end(self) -> int:
        return self.offset + 30 + len(self.name) + (20 if self.wide else 0) + self.size

    def local_header(self, stamp: int) -> bytes:
        size = MOST_32 if self.wide else self.size
        extra = struct.pack("<HHQQ", 1, 16, self.size, self.size) if self.wide else b""
        version = ZIP64 if self.wide else PLAIN
        head = struct.pack(
            "<IHHHIIIIHH", LOCAL, version, 0, 0, stamp, self.crc32, size, size, len(self.name), len(extra)
        )
        return head + self.name + extra

    def central_header(self, stamp: int) -> bytes:
        numbers = [self.size, self.size] if self.wide else []
        numbers += [self.offset] if self.offset >= MOST_32 else []
        extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
        version = ZIP64 if numbers else PLAIN
        size = MOST_32 if self.wide else self.size
        head = struct.pack(
            "<IHHHHIIIIHHHHHII",
            CENTRAL,
            MADE_BY | version,
            version,
            0,
            0,
            stamp,
            self.crc32,
            size,
            size,
            len(self.name),
            len(extra),
            0,
            0,
            0,
            REGULAR_FILE,
            min(self.offset, MOST_32),
        )
        return head + self.name + extra


def archive_name(release: Release) -> str:
    """What a download of the archive is called, and (without its ending) the folder in it."""
    return f"{release.site.slug}-release-{release.number}.zip"


def archive_size(release: Release) -> int:
    """The size of the archive in bytes. Raises NotFound when the release is not ready."""
    return sum(length for length, _make in segments(release))


def archive_chunks(release: Release, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The archive's bytes from `start` up to, not including, `stop` (None: its end), in chunks of at most a megabyte.

    Raises NotFound when the release is not ready; FileNotFoundError or OSError when a file is gone or was cut, so that
    a download breaks off rather than being wrong.
    """
    place = 0
    for length, make in segments(release):
        low, high = max(start - place, 0), length if stop is None else min(length, stop - place)
        if low < high:
            yield from make(low, high)
        place += length
        if stop is not None and place >= stop:
            return


type Segment = tuple[int, Callable[[int, int], Iterator[bytes]]]


def segments(release: Release) -> Iterator[Segment]:
    """The parts of the archive in order: the length of each, and what makes a range of it."""
    if release.state != ReleaseState.READY:
        raise NotFound
    store, stamp = ReleaseStore(release.pk), dos_time(release.created_at)
    count = directory = end = 0
    for entry in entries(release):
        yield constant(entry.local_header(stamp))
        yield entry.size, contents(store, entry)
        count, directory, end = count + 1, directory + len(entry.central_header(stamp)), entry.end
    for entry in entries(release):
        yield constant(entry.central_header(stamp))
    yield constant(end_records(count, directory, end))


def entries(release: Release) -> Iterator[Entry]:
    """The files of a release by name, in bounded memory."""
    folder = archive_name(release).removesuffix(".zip")
    last, offset = "", 0
    while batch := list(ReleaseFile.objects.filter(release=release, name__gt=last).order_by("name")[:BATCH]):
        for row in batch:
            entry = Entry(row.name, f"{folder}/{row.name}".encode("ascii"), row.size, row.crc32, offset)
            yield entry
            offset = entry.end
        last = batch[-1].name


def constant(data: bytes) -> Segment:
    def make(low: int, high: int) -> Iterator[bytes]:
        yield data[low:high]

    return len(data), make


def contents(store: ReleaseStore, entry: Entry) -> Callable[[int, int], Iterator[bytes]]:
    def make(low: int, high: int) -> Iterator[bytes]:
        with store.open(entry.file) as file:
            file.seek(low)
            while low < high:
                chunk = file.read(min(CHUNK, high - low))
                if not chunk:
                    raise OSError(f"{entry.file} is shorter than it was")
                yield chunk
                low += len(chunk)

    return make


def end_records(count: int, size: int, offset: int) -> bytes:
    """What follows the central directory of `size` bytes at `offset`."""
    wide = b""
    if count >= MOST_16 or size >= MOST_32 or offset >= MOST_32:
        wide = struct.pack("<IQHHIIQQQQ", END64, 44, MADE_BY | ZIP64, ZIP64, 0, 0, count, count, size, offset)
        wide += struct.pack("<IIQI", LOCATOR64, 0, offset + size, 1)
    few = min(count, MOST_16)
    return wide + struct.pack("<IHHHHIIH", END, 0, 0, few, few, min(size, MOST_32), min(offset, MOST_32), 0)


def dos_time(at: datetime) -> int:
    """An instant as MS-DOS date and time, in UTC, in two-second steps."""
    date = (at.year - 1980) << 9 | at.month << 5 | at.day
    return date << 16 | at.hour << 11 | at.minute << 5 | at.second // 2


def open_file(release: Release, name: str) -> tuple[ReleaseFile, IO[bytes]]:
    """A file of a ready release by its exact name, opened for reading.

    Only names that are rows are opened, so no name from outside reaches the file system. Raises NotFound.
    """
    row = release.files.filter(name=name).first() if release.state == ReleaseState.READY else None
    if row is None:
        raise NotFound
    try:
        return row, ReleaseStore(UUID(str(release.pk))).open(name)
    except FileNotFoundError:
        raise NotFound from None
