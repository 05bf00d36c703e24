"""Rows against files: what is missing, what is not what it was, and what lies there for nobody."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from review.evidence_store import file_store, opened
from review.models import Evidence, EvidenceState, Release, ReleaseFile, ReleaseState, Rendition
from review.releases.store import ReleaseStore
from review.tasks.renditions import make_renditions

FOLDERS = ("evidence", "renditions", "releases")
# A file is written before its row; within this time its row may still come.
YOUNG = timedelta(hours=1)
CHUNK = 1 << 20
JPEG_START = b"\xff\xd8\xff"


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


def check_files(*, now: datetime, mend: bool = False) -> Findings:
    """Read every file that a row points to, and look for files that none points to.

    With `mend` orphans are removed, renditions are made again, and evidence whose original is lost or altered is
    marked damaged, so that nobody is shown it as good. Lost originals and release files stay findings: only a backup
    brings them back.
    """
    findings, known = Findings(), set[str]()
    for evidence in Evidence.objects.iterator():
        known.add(evidence.path)
        check_evidence(evidence, findings, mend=mend)
    for rendition in Rendition.objects.select_related("evidence").iterator():
        known.add(rendition.path)
        check_rendition(rendition, findings, mend=mend)
    for file in ReleaseFile.objects.select_related("release").iterator():
        name = ReleaseStore(file.release.pk).path(file.name)
        known.add(name)
        judge(name, file.sha256, findings)
    in_work = {ReleaseStore(pk).root for pk in unfinished_releases()}
    for name in orphans(known, in_work, now):
        findings.orphan_files.append(name)
        if mend:
            file_store().delete(name)
            findings.mended.append(name)
    return findings


def check_evidence(evidence: Evidence, findings: Findings, *, mend: bool) -> None:
    problem = judge(evidence.path, evidence.sha256, findings)
    if problem and mend and evidence.state != EvidenceState.DAMAGED:
        Evidence.objects.filter(pk=evidence.pk).update(state=EvidenceState.DAMAGED, damage=problem)


def judge(name: str, sha256: str, findings: Findings) -> str:
    """Note what is wrong with a file whose digest is known; in words, empty when nothing is."""
    found = digest_of(name)
    if found is None:
        findings.missing_files.append(name)
        return "its file is missing"
    if found != sha256:
        findings.damaged.append(name)
        return "its file is not what was stored"
    return ""


def check_rendition(rendition: Rendition, findings: Findings, *, mend: bool) -> None:
    """A rendition has no digest of its own: it must be a JPEG of the size that was written."""
    try:
        with opened(rendition.path) as file:
            whole = file.read(len(JPEG_START)) == JPEG_START and file.size == rendition.size
    except FileNotFoundError:
        findings.missing_files.append(rendition.path)
    else:
        if whole:
            return
        findings.damaged.append(rendition.path)
    if mend and digest_of(rendition.evidence.path) == rendition.evidence.sha256:
        make_again(rendition)
        findings.mended.append(rendition.path)


def make_again(rendition: Rendition) -> None:
    """Forget a rendition and have it made from its original."""
    file_store().delete(rendition.path)
    with transaction.atomic():
        rendition.delete()
        make_renditions.enqueue(str(rendition.evidence_id))


def digest_of(name: str) -> str | None:
    """Hex SHA-256 of a file; None when it is not there."""
    sha256 = hashlib.sha256()
    try:
        with opened(name) as file:
            while chunk := file.read(CHUNK):
                sha256.update(chunk)
    except FileNotFoundError:
        return None
    return sha256.hexdigest()


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
