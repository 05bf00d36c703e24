"""What the product does by itself and an auditor wants to know: starting, stopping, a database brought up to date."""

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from accounts import audit

logger = structlog.get_logger(__name__)
MOST_NAMES = 50


def applied() -> set[str]:
    """The migrations that the database has; none for one that is still empty."""
    return {f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()}


def record_migrated(*, before: set[str], version: str) -> None:
    """An entry about the migrations that came since `before`; none when there were none."""
    if new := sorted(applied() - before):
        with transaction.atomic():
            audit.record("system.migrated", actor=None, version=version, count=len(new), applied=new[:MOST_NAMES])


def record_started(*, version: str) -> None:
    with transaction.atomic():
        audit.record("system.started", actor=None, version=version)


def record_stopped(*, version: str) -> None:
    """An orderly stop; a killed server leaves none, and its next start shows the gap. Never keeps it from stopping."""
    try:
        with transaction.atomic():
            audit.record("system.stopped", actor=None, version=version)
    except DatabaseError as error:
        logger.warning("stop_not_recorded", error=str(error))
