"""Uploads in the background."""

from uuid import UUID

from django.tasks import task

from review.uploads.worker import advance, clear


@task()
def run_upload(job_id: str, turn: int) -> None:
    """Move an upload on for a while; a second call for the same turn does nothing."""
    advance(UUID(job_id), turn)


@task()
def clear_upload(job_id: str) -> None:
    """Remove what an upload that is over still has in the staging area."""
    clear(UUID(job_id))
