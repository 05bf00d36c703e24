"""Building releases in the background."""

from uuid import UUID

from django.tasks import task

from review.releases.build import build


@task()
def build_release(release_id: str) -> None:
    """Build a frozen release; a second call finds it taken and does nothing."""
    build(UUID(release_id))
