"""Files by the SHA-256 of their bytes."""

import contextlib
import hashlib
import os
from collections.abc import Container
from pathlib import Path


class Blobs:
    """A folder of files named by their digest; a file that is there is whole and on stable storage."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def write(self, data: bytes) -> str:
        """Store bytes durably and give their digest: temporary file, fsync, rename, fsync of the folder."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self._path(sha256)
        if target.exists():
            return sha256
        temporary = self._incoming / sha256
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not target.parent.exists():
            target.parent.mkdir()
            _sync_folder(self._root)
        temporary.replace(target)
        _sync_folder(target.parent)
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes. Raises `OSError` when they are gone."""
        return self._path(sha256).read_bytes()

    def remove(self, sha256: str) -> None:
        """Delete the file if it is there."""
        self._path(sha256).unlink(missing_ok=True)

    def sweep(self, known: Container[str]) -> int:
        """Delete what a crash left behind: unfinished files and files that no row points to. How many."""
        left = [path for path in self._incoming.iterdir() if path.is_file()]
        left += [path for path in self._root.glob("??/*") if path.name not in known]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows knows no such call, and needs none on NTFS."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
