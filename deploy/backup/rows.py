"""What a backup says about the database that it holds, read from the snapshot itself with plain SQL."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from accounts.models import AuditEntry, User
from accounts.models.seal import Checkpoint
from deploy.backup.files_list import Listed
from review.models import Event, Evidence, Release, ReleaseFile, ReleaseState, Rendition, Verdict
from review.models.evidence import evidence_path, rendition_path
from review.releases.store import ReleaseStore

# Runs one query and yields its rows; of the snapshot file on SQLite, of the exported snapshot on PostgreSQL.
Query = Callable[[str], Iterator[tuple[Any, ...]]]
COUNTED = {
    "events": Event,
    "verdicts": Verdict,
    "evidence": Evidence,
    "releases": Release,
    "people": User,
    "audit_entries": AuditEntry,
}


def files(query: Query) -> Iterator[Listed]:
    """Every file that a row of the snapshot points to."""
    for site, sha256, size in query(f"SELECT site_id, sha256, size FROM {table(Evidence)} ORDER BY site_id, sha256"):  # noqa: S608
        yield Listed(evidence_path(str(UUID(str(site))), sha256), size, sha256)
    copies = f"SELECT evidence_id, kind, size, sha256 FROM {table(Rendition)} ORDER BY id"  # noqa: S608
    for evidence, kind, size, sha256 in query(copies):
        yield Listed(rendition_path(str(UUID(str(evidence))), kind), size, sha256)
    ready = f"SELECT id FROM {table(Release)} WHERE state = '{ReleaseState.READY.value}'"  # noqa: S608
    released = f"SELECT release_id, name, size, sha256 FROM {table(ReleaseFile)} WHERE release_id IN ({ready})"  # noqa: S608
    for release, name, size, sha256 in query(f"{released} ORDER BY release_id, name"):
        yield Listed(ReleaseStore(UUID(str(release))).path(name), size, sha256)


def counts(query: Query) -> dict[str, int]:
    return {name: next(query(f"SELECT count(*) FROM {table(model)}"))[0] for name, model in COUNTED.items()}  # noqa: S608


def migrations(query: Query) -> dict[str, list[str]]:
    """The migrations that had been applied, by app."""
    found: dict[str, list[str]] = {}
    for app, name in query("SELECT app, name FROM django_migrations ORDER BY app, name"):
        found.setdefault(app, []).append(name)
    return found


def sealed(query: Query) -> dict[str, Any]:
    """Size and note of the last checkpoint; empty before the first."""
    last = next(query(f"SELECT size, note FROM {table(Checkpoint)} ORDER BY size DESC LIMIT 1"), None)  # noqa: S608
    return {"size": last[0], "note": last[1]} if last else {}


def table(model: type[Any]) -> str:
    return json.dumps(model._meta.db_table)
