"""A token for a source, from the command line of the server."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.actions.sites import create_source
from inference.models import Camera, Site


class Command(BaseCommand):
    help = "Make a source at a site and print its token, which is shown this once only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", required=True, help="short name (slug) of the site")
        parser.add_argument("--camera", help="short name (slug) of a camera, to bind the token to it")
        parser.add_argument("--name", required=True, help="what the source is called")
        parser.add_argument("--json", action="store_true", help='print {"token", "source", "site"}')

    def handle(self, *args: Any, site: str, camera: str | None, name: str, **options: Any) -> None:
        found = Site.objects.filter(slug=site).first()
        if found is None:
            known = ", ".join(Site.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no site {site!r}. Known sites: {known}.")
        source, token = create_source(site=found, camera=self.camera(found, camera), name=name[:100], maker=None)
        if options["json"]:
            self.stdout.write(json.dumps({"token": token, "source": str(source.pk), "site": found.slug}))
            return
        self.stdout.write(token)

    def camera(self, site: Site, slug: str | None) -> Camera | None:
        if slug is None:
            return None
        camera = site.cameras.filter(slug=slug).first()
        if camera is None:
            known = ", ".join(site.cameras.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"{site} has no camera {slug!r}. Known cameras: {known}.")
        return camera
