"""Re-reading what was written, and comparing it with the frozen rows, the digests and the manifest."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from review.images import UnsupportedType
from review.models import Release, ReleaseFile

from . import frozen, lineage, manifest
from .contents import Box, Label, Picture
from .formats import FORMATS, Format
from .formats.interface import Found, Unreadable
from .recipe import Head
from .store import ReleaseStore, Sums
from .upright import decoded_size

# A release of which so much is wrong needs no longer list.
MOST_PROBLEMS = 100
BATCH = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with which file of a release."""

    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


def verify(release: Release, *, step: Callable[[int], None] = lambda pictures: None) -> Iterator[Problem]:
    """Everything that is wrong with the files of a release, at most a hundred things; nothing when all is right.

    Every file is read to its end and every picture decoded. `step` is called on the way with how many pictures more
    have been looked at (0 or 1).
    """
    store = ReleaseStore(release.pk)
    checks = (
        pictures_differ(release, store, step),
        files_differ(release, store, step),
        *(format_differs(release, store, name, step) for name in release.recipe["formats"]),
        lineage_differs(release, store, step),
        manifest_differs(release, store, step),
        strangers(release, store),
    )
    yield from islice((problem for check in checks for problem in check), MOST_PROBLEMS)


def pictures_differ(release: Release, store: ReleaseStore, step: Callable[[int], None]) -> Iterator[Problem]:
    """Pictures whose bytes are not those of their digest, or that do not decode to the frozen size."""
    for batch in frozen.batches(release, *frozen.PICTURE):
        pictures = [frozen.picture(*row) for row in batch]
        for low in range(0, len(pictures), BATCH):
            part = pictures[low : low + BATCH]
            rows = {row.name: row for row in release.files.filter(name__in=[picture.path for picture in part])}
            for picture in part:
                yield from picture_differs(picture, rows.get(picture.path), store)
                step(1)


def picture_differs(picture: Picture, row: ReleaseFile | None, store: ReleaseStore) -> Iterator[Problem]:
    try:
        data = store.read(picture.path)
    except FileNotFoundError:
        yield Problem(picture.path, "the file is missing")
        return
    if row is None or differs(row, Sums.of(data)):
        yield Problem(picture.path, "the bytes are not those that were written")
        return
    try:
        size = decoded_size(data)
    except (OSError, ValueError, SyntaxError, EOFError, UnsupportedType) as error:
        yield Problem(picture.path, f"the picture cannot be decoded ({error})")
        return
    if size != (picture.width, picture.height):
        yield Problem(picture.path, f"the picture has {size[0]}x{size[1]} pixels, not {picture.width}x{picture.height}")


def files_differ(release: Release, store: ReleaseStore, step: Callable[[int], None]) -> Iterator[Problem]:
    """All other files whose bytes are not those of their digest."""
    for row in rows_by_name(release):
        if row.name.endswith(".jpg"):
            continue
        try:
            with store.open(row.name) as file:
                sums = Sums.of_file(file, lambda: step(0))
        except FileNotFoundError:
            yield Problem(row.name, "the file is missing")
            continue
        if differs(row, sums):
            yield Problem(row.name, "the bytes are not those that were written")
        step(0)


def differs(row: ReleaseFile, sums: Sums) -> bool:
    return (row.size, row.sha256, row.crc32) != (sums.size, sums.sha256, sums.crc32)


def rows_by_name(release: Release) -> Iterator[ReleaseFile]:
    """The files of a release by name, the manifest last."""
    yield from manifest.files_of(release)
    yield from release.files.filter(name=manifest.NAME)


def format_differs(release: Release, store: ReleaseStore, name: str, step: Callable[[int], None]) -> Iterator[Problem]:
    """What a format's files say about the pictures, where it is not what was frozen."""
    one = FORMATS[name]
    taken = (picture for picture in frozen.pictures(release) if one.takes(picture))
    again = (picture for picture in frozen.pictures(release) if one.takes(picture))
    try:
        for picture, found in zip(taken, one.read(Head.of(release), store, again), strict=True):
            if detail := says_otherwise(picture, found, one):
                yield Problem(found.name, detail)
            step(0)
    except Unreadable as error:
        yield Problem(error.name, error.detail)
    except FileNotFoundError as error:
        yield Problem(str(error.filename or name), "the file is missing")


def says_otherwise(picture: Picture, found: Found, one: Format) -> str:
    """How `found` differs from the frozen picture; empty when it does not."""
    where = f"picture {picture.position} ({picture.path})"
    if found.path != picture.path:
        return f"{where}: the file speaks of {found.path}"
    if found.size not in (None, (picture.width, picture.height)):
        return f"{where}: the size differs"
    if not same(picture.labels, found.labels, one.tolerance_px):
        return f"{where}: the labels differ"
    if not same(picture.ignore, found.ignore, one.tolerance_px):
        return f"{where}: the ignore regions differ"
    return ""


def same(wanted: Iterable[Label], found: list[tuple[int, Box]], tolerance_px: float) -> bool:
    """Whether classes are equal and boxes are within the tolerance, in the same order."""
    pairs = [(label.class_index, label.box) for label in wanted]
    return len(pairs) == len(found) and all(
        index == found_index and all(abs(a - b) <= tolerance_px for a, b in zip(box, found_box, strict=True))
        for (index, box), (found_index, found_box) in zip(pairs, found, strict=True)
    )


def lineage_differs(release: Release, store: ReleaseStore, step: Callable[[int], None]) -> Iterator[Problem]:
    """Where the lineage is not that of the frozen rows."""
    try:
        for _picture in lineage.check(release, store):
            step(0)
    except Unreadable as error:
        yield Problem(error.name, error.detail)
    except FileNotFoundError:
        yield Problem(lineage.NAME, "the file is missing")


def manifest_differs(release: Release, store: ReleaseStore, step: Callable[[int], None]) -> Iterator[Problem]:
    """Where the manifest lists other files than those that were written."""
    try:
        with store.open(manifest.NAME) as file:
            listed = manifest.listed(file)
            for row in manifest.files_of(release):
                if next(listed, None) != (row.name, row.size, row.sha256):
                    yield Problem(manifest.NAME, f"it does not list {row.name} as it was written")
                    return
                step(0)
            if next(listed, None) is not None:
                yield Problem(manifest.NAME, "it lists more files than were written")
    except FileNotFoundError:
        yield Problem(manifest.NAME, "the file is missing")
    except (ValueError, KeyError, TypeError) as error:
        yield Problem(manifest.NAME, f"it is not the manifest that was written ({error})")


def strangers(release: Release, store: ReleaseStore) -> Iterator[Problem]:
    """Files in the release's folder that are not part of it."""
    known = set(release.files.values_list("name", flat=True))
    for name in store.names():
        if name not in known:
            yield Problem(name, "the file is not part of the release")
