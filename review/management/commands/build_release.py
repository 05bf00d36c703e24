import json
from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.exceptions import SecondLookError
from inference.models import Site
from review.actions.releases import make_release
from review.models import Queue, Release, ReleaseState
from review.releases.build import build
from review.releases.formats import FORMATS
from review.releases.manifest import NAME as MANIFEST


class Command(BaseCommand):
    help = "Freeze what was decided in some queues of a site, build it here and now, and verify it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", required=True, help="slug of the site")
        parser.add_argument("--queue", action="append", help="slug of a queue; may be given again (all, if left out)")
        parser.add_argument("--from", dest="since", help="first day or instant of the decisions, ISO 8601")
        parser.add_argument("--to", dest="until", help="last day or instant of the decisions, ISO 8601")
        parser.add_argument("--name", default="")
        parser.add_argument("--format", action="append", choices=list(FORMATS), help="may be given again")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")

    def handle(self, **options: Any) -> None:
        release = self.frozen(options)
        release = build(release.pk) or Release.objects.get(pk=release.pk)
        self.tell(release, as_json=options["json"])
        if release.state != ReleaseState.READY:
            raise CommandError(
                f"Release {release.number} is {release.state}: {release.failure or 'somebody else builds it'}"
            )

    def frozen(self, options: dict[str, Any]) -> Release:
        site = Site.objects.filter(slug=options["site"]).first()
        if site is None:
            raise CommandError(f"There is no site {options['site']!r}.")
        now = timezone.now()
        try:
            return make_release(
                person=None,
                site=site,
                queues=queues_of(site, options["queue"]),
                name=options["name"],
                since=instant(options["since"], site, time.min),
                until=instant(options["until"], site, time.max),
                formats=options["format"] or list(FORMATS),
                now=now,
                enqueue=False,
            )
        except SecondLookError as error:
            raise CommandError(f"{error.detail} ({error.code}) {error.members or ''}".strip()) from error

    def tell(self, release: Release, *, as_json: bool) -> None:
        manifest = release.files.filter(name=MANIFEST).first()
        said = {
            "id": str(release.pk),
            "number": release.number,
            "state": release.state,
            "failure": release.failure,
            "pictures": release.total,
            "summary": release.summary,
            "manifest_sha256": manifest.sha256 if manifest else None,
        }
        if as_json:
            self.stdout.write(json.dumps(said, indent=1, sort_keys=True))
        else:
            self.stdout.write(f"Release {release.number} ({release.pk}): {release.state}, {release.total} pictures")


def queues_of(site: Site, slugs: list[str] | None) -> list[Queue]:
    queues = list(site.queues.select_related("taxonomy"))
    if not slugs:
        return queues
    known = {queue.slug: queue for queue in queues}
    for slug in slugs:
        if slug not in known:
            raise CommandError(f"Site {site.slug} has no queue {slug!r}; it has {', '.join(sorted(known))}.")
    return [known[slug] for slug in slugs]


def instant(text: str | None, site: Site, of_day: time) -> datetime | None:
    """An instant, or the beginning or end of a day in the site's time zone. Raises CommandError."""
    if not text:
        return None
    try:
        at, day = (None, parse_date(text)) if len(text) == len("2026-01-31") else (parse_datetime(text), None)
    except ValueError:
        at = day = None
    if day is not None:
        at = datetime.combine(day, of_day)
    if at is None:
        raise CommandError(f"{text!r} is no date like 2026-01-31 and no instant like 2026-01-31T08:00:00Z.")
    return at if at.tzinfo else at.replace(tzinfo=site.zone)
