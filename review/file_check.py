"""Rows against files: what is missing, what is not what it was, and what lies there for nobody."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from review.evidence_store import file_store, opened
from review.models import (
    Evidence,
    EvidenceState,
    FileDamage,
    Release,
    ReleaseFile,
    ReleaseState,
    Rendition,
    UploadFile,
)
from review.models.upload import staged_path
from review.releases.store import ReleaseStore
from review.tasks.renditions import ALTERED, MISSING, make_renditions, mark_damaged, mark_whole

logger = structlog.get_logger(__name__)
FOLDERS = ("evidence", "renditions", "releases", "uploads")
# A file is written before its row; within this time its row may still come.
YOUNG = timedelta(hours=1)
CHUNK = 1 << 20
JPEG_START = b"\xff\xd8\xff"
UNREADABLE = "its file cannot be read"


@dataclass
class Findings:
    """Names in the file store. `mended` are those of the other lists that are right again."""

    orphan_files: list[str] = field(default_factory=list)
    missing_files: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not set(self.orphan_files + self.missing_files + self.damaged) - set(self.mended)

    @property
    def bad(self) -> list[str]:
        """Files of rows that were not what they should be."""
        return self.missing_files + self.damaged


@dataclass
class FileCheck:
    """Judges files by their rows; with `mend` it keeps what it found (`FileDamage`) and sets right what can be.

    `known` are the names among them that an earlier check has found wrong: when they are right again it says so.
    """

    now: datetime
    mend: bool
    known: set[str]
    findings: Findings = field(default_factory=Findings)
    bytes_read: int = 0

    def look_at(self, row: Evidence | Rendition | ReleaseFile) -> None:
        if isinstance(row, Evidence):
            self.evidence(row)
        elif isinstance(row, Rendition):
            self.rendition(row)
        else:
            self.keep(name_of(row), self.judge(name_of(row), row.sha256), row.release.site_id, None)

    def evidence(self, evidence: Evidence) -> None:
        problem = self.judge(evidence.path, evidence.sha256)
        self.keep(evidence.path, problem, evidence.site_id, evidence)
        if self.mend and problem and evidence.state != EvidenceState.DAMAGED:
            mark_damaged(evidence, problem)
        elif self.mend and not problem and evidence.damage in {MISSING, ALTERED, UNREADABLE}:
            mark_whole(evidence)

    def rendition(self, rendition: Rendition) -> None:
        """A rendition is made again as long as its original is what was stored."""
        problem = self.judge(rendition.path, rendition.sha256) if rendition.sha256 else self.first_look(rendition)
        if problem and self.mend and self.digest(rendition.evidence.path) == rendition.evidence.sha256:
            make_again(rendition)
            self.findings.mended.append(rendition.path)
            problem = ""
        self.keep(rendition.path, problem, rendition.evidence.site_id, rendition.evidence)

    def first_look(self, rendition: Rendition) -> str:
        """One from before digests must be a JPEG of the size that was written; then it gets its digest."""
        found = self.digest(rendition.path)
        if not found or not is_jpeg(rendition.path, rendition.size):
            return self.blame(rendition.path, found)
        if self.mend:
            Rendition.objects.filter(pk=rendition.pk, sha256="").update(sha256=found)
        return ""

    def judge(self, name: str, sha256: str) -> str:
        """Note what is wrong with a file whose digest is known; in words, empty when nothing is."""
        found = self.digest(name)
        return "" if found == sha256 else self.blame(name, found)

    def blame(self, name: str, found: str | None) -> str:
        (self.findings.missing_files if found is None else self.findings.damaged).append(name)
        return MISSING if found is None else ALTERED if found else UNREADABLE

    def digest(self, name: str) -> str | None:
        """Hex SHA-256 of a file; None when it is not there, empty when the disk does not give it."""
        try:
            found, size = hashed(name)
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.error("file_unreadable", name=name, why=str(error))
            return ""
        self.bytes_read += size
        return found

    def keep(self, name: str, problem: str, site_id: UUID, evidence: Evidence | None) -> None:
        """Remember a file that is wrong, and forget one that is right again."""
        if self.mend and problem:
            told = {"problem": problem, "found_at": self.now, "site_id": site_id, "evidence": evidence}
            _kept, new = FileDamage.objects.get_or_create(name=name, defaults=told)
            if new:
                logger.error("file_damaged", name=name, problem=problem)
        elif self.mend and name in self.known:
            FileDamage.objects.filter(name=name).delete()


def check_files(*, now: datetime, mend: bool = False) -> Findings:
    """Read every file that a row points to, and look for files that none points to.

    With `mend` orphans are removed, renditions are made again, and evidence whose original is lost or altered is
    marked damaged, so that nobody is shown it as good. Lost originals and release files stay findings: only a backup
    brings them back. Evidence that was marked so, and whose file is back as it was, is good again.
    """
    check = FileCheck(now=now, mend=mend, known=set(FileDamage.objects.values_list("name", flat=True)))
    names = set[str]()
    for rows in (evidence_rows(), rendition_rows(), release_rows()):
        for row in rows.iterator():
            names.add(name_of(row))
            check.look_at(row)
    names.update(staged_names())
    in_work = {ReleaseStore(pk).root for pk in unfinished_releases()}
    for name in orphans(names, in_work, now):
        check.findings.orphan_files.append(name)
        if mend:
            file_store().delete(name)
            check.findings.mended.append(name)
    return check.findings


def evidence_rows() -> QuerySet[Evidence]:
    return Evidence.objects.filter(removed_at=None).order_by("pk")


def rendition_rows() -> QuerySet[Rendition]:
    return Rendition.objects.select_related("evidence").order_by("pk")


def release_rows() -> QuerySet[ReleaseFile]:
    return ReleaseFile.objects.select_related("release").order_by("pk")


def staged_names() -> Iterator[str]:
    """Files of uploads that are not events yet: they belong to somebody, and are judged when they are read."""
    for job_id, pk in UploadFile.objects.filter(staged=True).values_list("job_id", "pk").iterator():
        yield staged_path(str(job_id), str(pk))


def name_of(row: Evidence | Rendition | ReleaseFile) -> str:
    """Where the file of a row lies in the file store."""
    return ReleaseStore(row.release_id).path(row.name) if isinstance(row, ReleaseFile) else row.path


def make_again(rendition: Rendition) -> None:
    """Forget a rendition and have it made from its original."""
    if not Rendition.objects.filter(pk=rendition.pk).exists():
        # Somebody else was faster: what lies there now is the new one.
        return
    file_store().delete(rendition.path)
    with transaction.atomic():
        rendition.delete()
        make_renditions.enqueue(str(rendition.evidence_id))


def is_jpeg(name: str, size: int) -> bool:
    with opened(name) as file:
        return file.size == size and file.read(len(JPEG_START)) == JPEG_START


def digest_of(name: str) -> str | None:
    """Hex SHA-256 of a file; None when it is not there."""
    try:
        return hashed(name)[0]
    except FileNotFoundError:
        return None


def hashed(name: str) -> tuple[str, int]:
    """Hex SHA-256 and size of a file in bytes. Raises FileNotFoundError, and OSError for a fault of the disk."""
    sha256, size = hashlib.sha256(), 0
    with opened(name) as file:
        while chunk := file.read(CHUNK):
            sha256.update(chunk)
            size += len(chunk)
    return sha256.hexdigest(), size


def unfinished_releases() -> list[UUID]:
    """Releases that are being built: what lies in their folders belongs to the builder."""
    return list(Release.objects.exclude(state=ReleaseState.READY).values_list("pk", flat=True))


def orphans(known: set[str], in_work: set[str], now: datetime) -> Iterator[str]:
    """Files of our folders that no row points to and that are not young."""
    store = file_store()
    for folder in FOLDERS:
        for name in files_below(folder):
            if name in known or any(name.startswith(f"{root}/") for root in in_work):
                continue
            modified = store.get_modified_time(name)
            aware = modified if timezone.is_aware(modified) else timezone.make_aware(modified)
            if now - aware > YOUNG:
                yield name


def files_below(folder: str) -> Iterator[str]:
    try:
        folders, files = file_store().listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(files):
        yield f"{folder}/{name}"
    for name in sorted(folders):
        yield from files_below(f"{folder}/{name}")
