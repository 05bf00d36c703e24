import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from review.models import Release, ReleaseState
from review.releases.verify import verify


class Command(BaseCommand):
    help = "Read every file of a ready release again and say which one is not what was frozen. Exit code 0 or 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("release", type=UUID, help="id of the release")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")

    def handle(self, **options: Any) -> None:
        release = Release.objects.select_related("site").filter(pk=options["release"]).first()
        if release is None:
            raise CommandError("There is no such release.")
        if release.state != ReleaseState.READY:
            raise CommandError(f"Release {release.number} is {release.state}; only a ready one can be verified.")
        problems = list(verify(release))
        if options["json"]:
            errors = [{"file": problem.name, "problem": problem.detail} for problem in problems]
            said = {"ok": not problems, "release": str(release.pk), "files": release.files.count(), "errors": errors}
            self.stdout.write(json.dumps(said, indent=1))
        else:
            for problem in problems:
                self.stdout.write(str(problem))
        if problems:
            raise CommandError(f"{len(problems)} problems in release {release.number}.")
        if not options["json"]:
            self.stdout.write(f"Release {release.number} is whole: {release.total} pictures.")
