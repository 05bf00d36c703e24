"""Uploads that broke off: what has come so far of a file that an event announced, kept until the rest follows.

They lie on this machine's disk, apart from the store: nothing shows them, no row points to them, and losing them costs
the source nothing but sending the file from its beginning.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict
from review.evidence_store import make_folder, require_room, unavailable

# Of one source: so many at a time; a further one pushes out the oldest.
MOST = 20
KEPT_S = 24 * 3600


class WrongOffset(Conflict):
    """The part does not begin where the last one ended; `received` says where to go on."""

    code, title = "offset_mismatch", _("This part does not follow what has come so far.")


def root() -> Path:
    return Path(settings.SECONDLOOK["PARTIALS"])


def path_of(source_id: UUID, sha256: str) -> Path:
    return root() / str(source_id) / sha256


@contextlib.contextmanager
def one_at_a_time(source_id: UUID) -> Iterator[None]:
    """Let nobody else on this machine touch the partial files of a source meanwhile. Raises StoreUnavailable."""
    try:
        root().mkdir(parents=True, exist_ok=True)
        lock = (root() / f"{source_id}.lock").open("w")
    except OSError as error:
        raise unavailable(error) from error
    with lock as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def received(source_id: UUID, sha256: str) -> int:
    """How many bytes of the file have come."""
    with contextlib.suppress(OSError):
        return path_of(source_id, sha256).stat().st_size
    return 0


def append(*, source_id: UUID, sha256: str, start: int, data: bytes) -> int:
    """Add a part that begins at byte `start`; how many bytes there are now.

    A part that came before, in whole or in part, is no error: what is new of it counts. Raises WrongOffset for a gap,
    and StoreUnavailable.
    """
    require_room()
    path = path_of(source_id, sha256)
    have = received(source_id, sha256)
    if start > have:
        raise WrongOffset(received=have)
    fresh = data[have - start :]
    try:
        make_folder(path.parent)
        make_place(path)
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(have)
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unavailable(error) from error
    return have + len(fresh)


def make_place(path: Path) -> None:
    """Let a source have no more than `MOST` at a time: the oldest goes."""
    others = sorted((one for one in path.parent.iterdir() if one != path), key=lambda one: one.stat().st_mtime)
    for old in others[: max(0, len(others) - MOST + 1)]:
        old.unlink(missing_ok=True)


def take(source_id: UUID, sha256: str) -> bytes:
    """What has come, as bytes."""
    return path_of(source_id, sha256).read_bytes()


def drop(source_id: UUID, sha256: str) -> None:
    """Forget a partial file: it is whole and stored, or it was not what it should be."""
    path_of(source_id, sha256).unlink(missing_ok=True)


def all_files() -> Iterator[Path]:
    if root().is_dir():
        yield from (path for path in root().glob("*/*") if path.is_file())


def sweep() -> int:
    """Forget what has not grown for a day; how many there were."""
    old = [path for path in all_files() if time.time() - path.stat().st_mtime > KEPT_S]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
