"""A token for a source or for a person, from the command line of the server."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.tokens import LONGEST, USUAL, issue
from accounts.exceptions import SecondLookError
from accounts.models import PersonalToken, User
from inference.actions.sites import create_source
from inference.models import Camera, Site


class Command(BaseCommand):
    help = (
        "Make a source at a site, or a personal token of a person, and print the token, which is shown this once only. "
        "A personal token does what its scopes say and never more than the person may do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--site", help="short name (slug) of the site, for a source")
        whose.add_argument("--person", help="sign-in name, for a personal token")
        parser.add_argument("--camera", help="short name (slug) of a camera, to bind the token to it")
        parser.add_argument("--name", required=True, help="what the source or the token is called")
        scopes = ", ".join(PersonalToken.SCOPES)
        parser.add_argument("--scope", action="append", help=f"with --person, once or more: {scopes}; default all")
        parser.add_argument("--days", type=int, default=USUAL.days, help=f"with --person: at most {LONGEST.days}")
        parser.add_argument("--json", action="store_true", help='print {"token", "source" or "person", ...}')

    def handle(self, *args: Any, **options: Any) -> None:
        document = self.for_person(**options) if options["person"] else self.for_source(**options)
        self.stdout.write(json.dumps(document) if options["json"] else document["token"])

    def for_person(self, person: str, name: str, scope: list[str] | None, days: int, **_: Any) -> dict[str, str]:
        found = User.objects.filter(username=person).first()
        if found is None:
            raise CommandError(f"There is no person with the sign-in name {person!r}.")
        now = timezone.now()
        ends_at, scopes = now + timedelta(days=max(0, min(days, LONGEST.days + 1))), scope or list(PersonalToken.SCOPES)
        try:
            token, secret = issue(person=found, name=name, scopes=scopes, now=now, ends_at=ends_at)
        except SecondLookError as error:
            raise CommandError(str(error.detail)) from error
        return {"token": secret, "person": found.username, "ends_at": ends_at.isoformat(), "id": str(token.pk)}

    def for_source(self, site: str, camera: str | None, name: str, **_: Any) -> dict[str, str]:
        found = Site.objects.filter(slug=site).first()
        if found is None:
            known = ", ".join(Site.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no site {site!r}. Known sites: {known}.")
        source, token = create_source(site=found, camera=self.camera(found, camera), name=name[:100], maker=None)
        return {"token": token, "source": str(source.pk), "site": found.slug}

    def camera(self, site: Site, slug: str | None) -> Camera | None:
        if slug is None:
            return None
        camera = site.cameras.filter(slug=slug).first()
        if camera is None:
            known = ", ".join(site.cameras.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"{site} has no camera {slug!r}. Known cameras: {known}.")
        return camera
