"""Where the files of a release lie: `releases/<id>/` of the default storage, and a local folder for those in work."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from review.evidence_store import local_path, make_folder, opened, sync_folder, write_durably

CHUNK = 1 << 20
STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class Sums:
    """Size in bytes, SHA-256 (hex) and CRC-32 of a file."""

    size: int
    sha256: str
    crc32: int

    @classmethod
    def of(cls, data: bytes) -> "Sums":
        return cls(len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))

    @classmethod
    def of_file(cls, file: IO[bytes], beat: Callable[[], None] = lambda: None) -> "Sums":
        """Read `file` to its end; `beat` is called after each megabyte."""
        size, crc32, sha256 = 0, 0, hashlib.sha256()
        while chunk := file.read(CHUNK):
            size, crc32 = size + len(chunk), zlib.crc32(chunk, crc32)
            sha256.update(chunk)
            beat()
        return cls(size, sha256.hexdigest(), crc32)


class ReleaseStore:
    """The files of one release. Names are made by us and relative to the release."""

    def __init__(self, release_id: UUID) -> None:
        self.root = f"releases/{release_id}"
        local = local_path(f"{self.root}/{STAGING}")
        # Beside the files, so that a finished one is only renamed.
        self.staging = local or Path(tempfile.gettempdir()) / "secondlook-releases" / str(release_id)

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def open(self, name: str) -> IO[bytes]:
        """Raises FileNotFoundError."""
        file: IO[bytes] = opened(self.path(name))
        return file

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        with self.open(name) as file:
            return bytes(file.read())

    def put_bytes(self, name: str, data: bytes) -> Sums:
        """Keep a small file, whole or not at all, replacing an earlier one."""
        local = local_path(self.path(name))
        if local is not None:
            write_durably(local, data)
        else:
            default_storage.delete(self.path(name))
            default_storage.save(self.path(name), ContentFile(data))
        return Sums.of(data)

    def put_file(self, name: str, staged: Path, beat: Callable[[], None] = lambda: None) -> Sums:
        """Move a finished file out of the staging folder, whole or not at all, replacing an earlier one."""
        with staged.open("rb+") as file:
            sums = Sums.of_file(file, beat)
            os.fsync(file.fileno())
        local = local_path(self.path(name))
        if local is None:
            default_storage.delete(self.path(name))
            with staged.open("rb") as file:
                default_storage.save(self.path(name), File(file))
            staged.unlink()
            return sums
        make_folder(local.parent)
        staged.replace(local)
        sync_folder(local.parent)
        return sums

    def new_staging(self) -> Path:
        """A staging folder of its own: a worker that was thought dead may still be at work in another one."""
        self.staging.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self.staging))

    def clear_staging(self) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)

    def names(self, folder: str = "") -> Iterator[str]:
        """The names of all files of the release that are there, without those in work."""
        with contextlib.suppress(FileNotFoundError):
            folders, files = default_storage.listdir(f"{self.root}/{folder}".rstrip("/"))
            yield from (f"{folder}{file}" for file in files)
            for one in folders:
                if one != STAGING:
                    yield from self.names(f"{folder}{one}/")

    def sweep(self) -> None:
        """Delete the half-written files of a worker that was killed."""
        for name in list(self.names()):
            if name.rpartition("/")[2].startswith("."):
                default_storage.delete(self.path(name))

    def remove(self) -> None:
        """Delete every file of the release."""
        self.clear_staging()
        local = local_path(self.root)
        if local is not None:
            shutil.rmtree(local, ignore_errors=True)
            return
        for name in list(self.names()):
            default_storage.delete(self.path(name))
