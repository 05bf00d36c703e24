"""Taking a backup: keys to verify with, then the database, then the files that its rows point to, the manifest last.

Files are written before their rows and never changed, so a snapshot's files are all there by the time they are copied.
The backup has its name only when it is whole: until then it is a folder that no restore looks at.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from accounts import audit
from deploy.backup import copying, files_list, keys, manifest, postgres, rows, sqlite
from deploy.backup.exceptions import BackupError, Full, Unusable
from deploy.backup.files_list import Listed
from deploy.backup.manifest import FILES, MEDIA, Manifest
from inference.edge.version import VERSION
from review.evidence_store import opened, sync_folder

PARTIAL, GOING = ".partial-", ".removing-"
WANTED = "wanted.jsonl"


@dataclass
class Copied:
    """What became of the files."""

    copied: int = 0
    linked: int = 0
    bytes: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def database() -> Any:
    return postgres if connection.vendor == "postgresql" else sqlite


def take(*, target: Path, now: datetime, with_secrets: bool, keep: int | None, reread: bool) -> dict[str, Any]:
    """Take one backup below `target`; what it is and what became of the files. Raises BackupError."""
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(target):
            return take_alone(target, now, with_secrets=with_secrets, keep=keep, reread=reread)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Full(
                f"{target} is full. Nothing of this backup was left there; make room and take it again."
            ) from None
        raise BackupError(f"{target} cannot be used: {error.strerror or error}.") from None


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """One backup at a time in a folder; the lock goes with the process that holds it."""
    with (target / ".lock").open("ab") as file:
        with suppress(ImportError):
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unusable(f"Another backup to {target} is running.") from None
        yield


def take_alone(target: Path, now: datetime, *, with_secrets: bool, keep: int | None, reread: bool) -> dict[str, Any]:
    name = now.strftime("%Y-%m-%dT%H%M%S.%fZ")
    folder = target / f"{PARTIAL}{name}"
    sweep(target)
    folder.mkdir(mode=0o700)
    try:
        earlier = [] if reread else complete(target)[-1:]
        told, copied = fill(folder, name, now, earlier, with_secrets=with_secrets)
        folder.replace(target / name)
        sync_folder(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    removed = rotate(target, keep)
    record(told, copied)
    return {
        "backup": str(target / name),
        "taken_at": told.taken_at,
        "counts": told.counts,
        "copied": copied.copied,
        "linked": copied.linked,
        "bytes": copied.bytes,
        "problems": copied.problems,
        "sealed": told.sealed.get("size", 0),
        "secrets": told.secrets,
        "removed": removed,
    }


def fill(folder: Path, name: str, now: datetime, earlier: list[Path], *, with_secrets: bool) -> tuple[Manifest, Copied]:
    """Write every part of a backup into `folder`."""
    keys.save_public(folder)
    saved = keys.save_secrets(folder) if with_secrets else []
    with database().snapshot(folder) as query, (folder / WANTED).open("w", encoding="utf-8") as wanted:
        facts = {"migrations": rows.migrations(query), "counts": rows.counts(query), "sealed": rows.sealed(query)}
        wanted.writelines(one.line() for one in rows.files(query))
    copied = copy_files(folder, earlier)
    (folder / WANTED).unlink()
    told = Manifest(
        id=name,
        taken_at=now.isoformat(),
        version=VERSION,
        vendor=connection.vendor,
        embedded=keys.embedded(),
        parts=parts(folder),
        problems=copied.problems,
        secrets=saved,
        **facts,  # type: ignore[arg-type]
    )
    # One call for the names of all files; their bytes were synced one by one.
    getattr(os, "sync", lambda: None)()
    told.write(folder)
    return told, copied


def copy_files(folder: Path, earlier: list[Path]) -> Copied:
    """Copy what the snapshot points to, or link it to the copy of an earlier backup; what is amiss is noted."""
    copied = Copied()
    with (folder / WANTED).open(encoding="utf-8") as lines, (folder / FILES).open("w", encoding="utf-8") as listed:
        for one in files_list.parse(lines, WANTED):
            had = in_earlier(earlier, one)
            if had and copying.link(had, folder / MEDIA / one.name):
                copied.linked += 1
                listed.write(one.line())
            elif found := copy_one(folder, one, copied):
                listed.write(found.line())
        listed.flush()
        os.fsync(listed.fileno())
    return copied


def copy_one(folder: Path, one: Listed, copied: Copied) -> Listed | None:
    """Copy a file and check its digest on the way; None, and noted, when it is missing or not what was stored."""
    path = folder / MEDIA / one.name
    try:
        with opened(one.name) as file:
            sha256 = copying.copy(file, path)
    except FileNotFoundError:
        copied.problems[one.name] = "missing"
        return None
    size = path.stat().st_size
    if (one.sha256 and sha256 != one.sha256) or size != one.size:
        path.unlink()
        copied.problems[one.name] = "damaged"
        return None
    copied.copied += 1
    copied.bytes += size
    return Listed(one.name, size, sha256)


def in_earlier(earlier: list[Path], one: Listed) -> Path | None:
    """The earlier backup's copy of a file whose digest the row knows, when it has the right size."""
    if not earlier or not one.sha256:
        return None
    path = earlier[0] / MEDIA / one.name
    with suppress(OSError):
        if path.stat().st_size == one.size:
            return path
    return None


def parts(folder: Path) -> dict[str, str]:
    """The digests of everything but the media."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(f"{MEDIA}/"):
            found[name] = copying.digest_of(path)
    return found


def complete(target: Path) -> list[Path]:
    """The whole backups below a folder, the oldest first."""
    return sorted(
        path for path in target.iterdir() if not path.name.startswith(".") and (path / manifest.NAME).is_file()
    )


def sweep(target: Path) -> None:
    """What killed runs left behind."""
    for path in target.iterdir():
        if path.name.startswith((PARTIAL, GOING)):
            shutil.rmtree(path)


def rotate(target: Path, keep: int | None) -> list[str]:
    """Remove all but the newest `keep`; a folder loses its name first, so that no half of it is taken for a backup."""
    if keep is None:
        return []
    removed = []
    for path in complete(target)[:-keep]:
        going = path.with_name(f"{GOING}{path.name}")
        path.replace(going)
        shutil.rmtree(going)
        removed.append(path.name)
    return removed


def record(told: Manifest, copied: Copied) -> None:
    with transaction.atomic():
        audit.record(
            "system.backed_up",
            actor=None,
            backup=told.id,
            version=told.version,
            sealed=told.sealed.get("size", 0),
            counts=told.counts,
            files=copied.copied + copied.linked,
            problems=len(copied.problems),
            secrets=bool(told.secrets),
        )
