"""Files of evidence: on stable storage before any row points to them, named by the server only."""

import contextlib
import errno
import logging
import os
import secrets
import shutil
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation, SuspiciousOperation
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import SecondLookError

logger = logging.getLogger(__name__)


NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# Folders whose entry this process has synced: there are few of them, and each needs it once.
_synced: set[Path] = set()


class StoreUnavailable(SecondLookError):
    status, code, title = 503, "storage_unavailable", _("The file store cannot be written to; try again later.")


class StoreFull(StoreUnavailable):
    code, title = "storage_full", _("The file store has no room; try again later.")


def unavailable(error: OSError) -> StoreUnavailable:
    """What a fault of the disk means for whoever wanted something kept; the log says which one it was."""
    logger.error("the file store cannot be written to: %s", error)
    return StoreFull() if error.errno in NO_ROOM else StoreUnavailable()


def file_store() -> Storage:
    """The store of evidence, renditions and releases, as the settings name it."""
    return storages["default"]


def local_path(name: str) -> Path | None:
    """The file of `name` on this machine's disk; None when the store is elsewhere."""
    store = file_store()
    return Path(store.path(name)) if isinstance(store, FileSystemStorage) else None


def write(name: str, data: bytes) -> bool:
    """Keep `data` as `name`, replacing nothing that is whole already, and return when it is on stable storage.

    True when it was not there before. On a disk: temporary file, fsync, rename, fsync of the folder. What is there
    already may have been put there a moment ago, or by somebody who died then: its folder is synced all the same.
    Raises StoreFull when there is no room, StoreUnavailable for any other fault of the disk.
    """
    path = local_path(name)
    if path is None:
        if file_store().exists(name):
            return False
        file_store().save(name, ContentFile(data))
        return True
    try:
        if size_of(path) == len(data):
            make_folder(path.parent)
            sync_folder(path.parent)
            return False
        write_durably(path, data)
    except OSError as error:
        raise unavailable(error) from error
    return True


def size_of(path: Path) -> int | None:
    """In bytes; None when nothing is there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each one's entry synced in its parent.

    Within the store also of folders that are there: somebody else may have made one a moment ago, or died before its
    entry was synced. A folder that is there and outside of the store is taken as it is.
    """
    if folder.is_dir() and (folder in _synced or not is_in_store(folder)):
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)
    _synced.add(folder)


def is_in_store(folder: Path) -> bool:
    root = local_path("")
    return root is not None and root in folder.parents


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def opened(name: str) -> File[bytes]:
    """The stored file `name`, for reading.

    Raises FileNotFoundError when it is not there, and when what is there is no plain file below the root of the store:
    a link that somebody planted leads nowhere.
    """
    try:
        path = local_path(name)
        if path is None:
            return file_store().open(name, "rb")
        root = Path(file_store().path("")).resolve()
        if not path.resolve(strict=True).is_relative_to(root):
            raise SuspiciousFileOperation
        if not path.is_file():
            raise FileNotFoundError(name)
        return File(path.open("rb"))
    except (SuspiciousOperation, NotADirectoryError, RuntimeError, ValueError):
        logger.error("a name leads outside the file store: %r", name)
        raise FileNotFoundError(name) from None


def read(name: str) -> bytes:
    """The bytes of `name`. Raises FileNotFoundError."""
    with opened(name) as file:
        return bytes(file.read())


def remove(name: str) -> None:
    """Let a stored file go; one that is gone already is no error. On a disk its folder is synced."""
    path = local_path(name)
    if path is None:
        file_store().delete(name)
        return
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)


def free_bytes() -> int | None:
    """Room left in the store in bytes; None when it is not a disk of this machine."""
    root = local_path("evidence")
    if root is None:
        return None
    while not root.exists():
        root = root.parent
    return shutil.disk_usage(root).free


def require_room() -> None:
    """Raise StoreFull when less than the configured head-room is left."""
    free = free_bytes()
    if free is not None and free < settings.SECONDLOOK["MIN_FREE_BYTES"]:
        raise StoreFull
