"""Bringing a backup back into an empty installation, and saying whether what is there now is whole.

Order: every small part is checked first; then the files, each checked as it is copied; the database last, in one step.
A restore that was killed is run again: files that are there already are checked and kept.
"""

import errno
import hashlib
import json
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts import audit
from accounts.anchors.configured import anchors
from accounts.anchors.file import FileAnchor
from accounts.models import User
from accounts.models.seal import Checkpoint
from accounts.seal import keys as seal_keys
from accounts.seal.anchored import Anchored
from accounts.seal.findings import Findings
from accounts.seal.store import last_checkpoint
from deploy.backup import copying, files_list, keys, manifest
from deploy.backup.exceptions import BackupError, Damaged, Full, Unusable
from deploy.backup.files_list import Listed
from deploy.backup.manifest import MEDIA, Manifest
from deploy.backup.taking import complete, database
from inference.edge.version import VERSION
from review.evidence_store import file_store, local_path, sync_folder
from review.file_check import FOLDERS, check_files, files_below
from review.models import Event

MARK = ".restoring"


@dataclass
class Verdict:
    """What a restore came to. `known` are findings that were there when the backup was taken."""

    backup: str
    taken_at: str
    files: int
    sealed_in_backup: int
    sealed_now: int = 0
    left_out: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    fsck: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    audit: str = ""
    advice: str = ""

    @property
    def ok(self) -> bool:
        return not self.fsck and not self.left_out and self.audit == "ok"


def restore(*, source: Path, into_empty: bool, without_damaged: bool) -> Verdict:
    """Bring the backup `source` (or the newest below it) back. Raises BackupError; then no database is in place."""
    try:
        folder = chosen(source)
        told = manifest.read(folder)
        require_fitting(told)
        manifest.check_parts(folder, told)
        require_empty(told, into_empty=into_empty)
        return bring_back(folder, told, without_damaged=without_damaged)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Full("There is no room for the backup here. Make room and restore again.") from None
        raise BackupError(f"Restoring failed: {error.strerror or error} ({error.filename}).") from None


def chosen(source: Path) -> Path:
    if (source / manifest.NAME).is_file() or not source.is_dir():
        return source
    return (complete(source) or [source])[-1]


def require_fitting(told: Manifest) -> None:
    """Raises Unusable when the backup is of another kind of database or of a newer version."""
    if told.vendor != connection.vendor:
        raise Unusable(f"The backup is of {told.vendor}, and this installation runs on {connection.vendor}.")
    ours = MigrationLoader(None).disk_migrations
    apps = {app for app, _name in ours}
    unknown = [f"{app}.{one}" for app, names in told.migrations.items() for one in names if (app, one) not in ours]
    unknown = [one for one in unknown if one.partition(".")[0] in apps]
    if unknown:
        raise Unusable(
            f"The backup is of version {told.version}, which is newer than this one ({VERSION}; it does not know "
            f"{unknown[0]}). Install that version, then restore."
        )


def require_empty(told: Manifest, *, into_empty: bool) -> None:
    """Raises Unusable when there is something that a restore would overwrite."""
    resumed = is_resumed(told)
    if not resumed and not database().is_empty() and not (into_empty and holds_nothing()):
        raise Unusable(
            "There is a database here already. Restore into an empty data folder or database"
            + (", or one without events and people." if into_empty else "; --into-empty takes one that holds nothing.")
        )
    if not resumed and next((name for one in FOLDERS for name in files_below(one)), None):
        raise Unusable("There are files in the store already. Restore into an empty one.")


def is_resumed(told: Manifest) -> bool:
    """Whether a restore of this very backup was begun here and not finished."""
    return mark_file().is_file() and mark_file().read_text(encoding="utf-8") == told.id


def holds_nothing() -> bool:
    """Whether tables are there, and neither events nor people in them."""
    return not Event.objects.exists() and not User.objects.exists()


def mark_file() -> Path:
    return keys.data_folder() / MARK


def bring_back(folder: Path, told: Manifest, *, without_damaged: bool) -> Verdict:
    mark_file().parent.mkdir(parents=True, exist_ok=True)
    # Put in place in one step, so a killed restore has left the whole database or none.
    there = is_resumed(told) and not database().is_empty()
    mark_file().write_text(told.id, encoding="utf-8")
    verdict = Verdict(told.id, told.taken_at, 0, told.sealed.get("size", 0), known=sorted(told.problems))
    for one in files_list.read(folder):
        try:
            put_back(folder, one)
            verdict.files += 1
        except Damaged:
            if not without_damaged:
                raise
            verdict.left_out.append(one.name)
    keys.restore(folder)
    if not there:
        database().restore(folder)
    call_command("migrate", verbosity=0, interactive=False)
    record(told, verdict)
    mark_file().unlink()
    return judge(folder, verdict)


def put_back(folder: Path, one: Listed) -> None:
    """Copy a file into the store unless it is there; checked by its digest either way. Raises Damaged."""
    source, name = folder / MEDIA / one.name, f"{MEDIA}/{one.name}"
    path = local_path(one.name)
    if path is not None and path.is_file() and copying.digest_of(path) == one.sha256:
        return
    try:
        with source.open("rb") as file:
            sha256 = copying.copy(file, path) if path is not None else upload(one, file)
    except FileNotFoundError:
        raise Damaged(name, "is missing") from None
    if path is not None and sha256 != one.sha256:
        path.unlink()
    if sha256 != one.sha256:
        raise Damaged(name, "is not what was written")
    if path is not None:
        sync_folder(path.parent)


def upload(one: Listed, file: Any) -> str:
    """Into a store that is no disk of this machine: checked first, because it cannot be taken back by a rename."""
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 == one.sha256:
        file.seek(0)
        file_store().delete(one.name)
        file_store().save(one.name, File(file))
    return sha256


def record(told: Manifest, verdict: Verdict) -> None:
    """The trail says that time was turned back: which moment it is now, and how much was sealed then."""
    last = last_checkpoint()
    verdict.sealed_now = last.size if last else 0
    with transaction.atomic():
        audit.record(
            "system.restored",
            actor=None,
            backup=told.id,
            taken_at=told.taken_at,
            restored_at=timezone.now().isoformat(),
            version_before=told.version,
            version=VERSION,
            sealed_before=verdict.sealed_in_backup,
            sealed=verdict.sealed_now,
            anchored=anchored_size(last),
            files=verdict.files,
            left_out=verdict.left_out[:100],
        )


def anchored_size(last: Checkpoint | None) -> int | None:
    """The largest size of the log that anchors outside of the data folder know now; None when none can be read."""
    origin = last.note.partition("\n")[0] if last else None
    held, ignored = Anchored(), Findings()
    try:
        for one in anchors():
            if isinstance(one, FileAnchor) and not one.beside_data and one.path.exists():
                held.read(one.path, origin, seal_keys.trusted(origin or ""), ignored)
    except (OSError, ImproperlyConfigured):
        return None
    return held.last_size


def judge(folder: Path, verdict: Verdict) -> Verdict:
    """Read everything again: files against rows, and the audit trail against its seals."""
    found = check_files(now=timezone.now())
    verdict.fsck = sorted({*found.missing_files, *found.damaged, *found.orphan_files} - set(verdict.known))
    verdict.audit, verdict.lost = audit_verdict()
    verdict.advice = keys.key_advice(folder)
    return verdict


def audit_verdict() -> tuple[str, list[str]]:
    """`ok` or the first thing that is wrong; and what an anchor knows that was lost with this restore."""
    said = StringIO()
    try:
        call_command("verify_audit", json=True, accept_restore=True, stdout=said, stderr=said)
    except SystemExit as end:
        if end.code != 1:
            return said.getvalue().strip() or "verify_audit failed", []
    found = json.loads(said.getvalue())
    lost = [one["problem"] for one in found["accepted"]]
    return ("ok" if found["ok"] else found["errors"][0]["problem"]), lost
