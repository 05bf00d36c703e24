"""The staging area `uploads/`: bytes that came and are not evidence yet, under names that the server made."""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.core.files import File

from review.evidence_store import file_store, local_path, make_folder, opened, require_room, sync_folder, unavailable

CHUNK = 1 << 20


class Counting:
    """A readable file that hashes and counts what is read of it; `most` bytes and no more.

    Raises what `over` makes as soon as there is one byte more.
    """

    def __init__(self, file: IO[bytes], most: int, over: Callable[[], Exception]) -> None:
        self.file, self.most, self.over = file, most, over
        self.sha256, self.size = hashlib.sha256(), 0

    def read(self, size: int = CHUNK) -> bytes:
        chunk = self.file.read(size)
        self.size += len(chunk)
        if self.size > self.most:
            raise self.over()
        self.sha256.update(chunk)
        return chunk


def keep(name: str, source: Counting) -> None:
    """Write what is left of `source` to stable storage as `name`. Raises StoreUnavailable, and what `source` raises."""
    require_room()
    path = local_path(name)
    if path is None:
        # Stores elsewhere want a file that they can measure; it is on this disk already when it is large.
        while source.read():
            pass
        source.file.seek(0)
        file_store().save(name, File(source.file))
        return
    try:
        write(path, source)
    except OSError as error:
        raise unavailable(error) from error


def write(path: Path, source: Counting) -> None:
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as file:
            while chunk := source.read():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def open_staged(name: str) -> IO[bytes]:
    """Raises FileNotFoundError."""
    file: IO[bytes] = opened(name)
    return file


def remove(names: list[str]) -> None:
    """Forget bytes that nobody needs any more; what is gone already is no fault."""
    for name in names:
        file_store().delete(name)
