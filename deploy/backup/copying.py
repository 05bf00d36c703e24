"""Files from one place to another in constant memory, hashed on the way, there whole or not at all."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
TEMPORARY = ".part"


def digest_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(source: IO[bytes], path: Path) -> str:
    """Write what `source` holds to `path`; its hex SHA-256. The file has its name only once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY}")
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as out:
            for chunk in chunks(source):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk


def link(old: Path, path: Path) -> bool:
    """Give a file a second name; False where the file system cannot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, path)
    except OSError:
        return False
    return True


def write_private(path: Path, data: bytes) -> None:
    """A small file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
