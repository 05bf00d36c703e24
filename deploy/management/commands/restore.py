import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deploy.backup.exceptions import BackupError
from deploy.backup.restoring import Verdict, restore


class Command(BaseCommand):
    help = (
        "Bring a backup back into an empty installation, migrate it, and verify files and audit trail. Stop the server "
        "first. Exit code 0 when everything that is there now is whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="SOURCE", help="a backup, or the folder of them: the newest")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
        parser.add_argument(
            "--into-empty",
            action="store_true",
            help="also where tables are already, as long as they hold neither events nor people",
        )
        parser.add_argument(
            "--without-damaged",
            action="store_true",
            help="leave out files of the backup that are missing or damaged, and name them",
        )

    def handle(self, *args: Any, source: Path, **options: Any) -> None:
        try:
            verdict = restore(
                source=source, into_empty=options["into_empty"], without_damaged=options["without_damaged"]
            )
        except BackupError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"ok": verdict.ok} | asdict(verdict)))
        else:
            self.tell(verdict)
        if not verdict.ok:
            sys.exit(1)

    def tell(self, verdict: Verdict) -> None:
        self.stdout.write(f"Backup {verdict.backup} of {verdict.taken_at} is back: {verdict.files} files.")
        self.stdout.write(f"{verdict.sealed_now} entries sealed; {verdict.sealed_in_backup} were in the backup.")
        for kind, names in {"left out": verdict.left_out, "amiss": verdict.fsck, "known": verdict.known}.items():
            for name in names:
                self.stdout.write(f"{kind:<8} {name}")
        for text in verdict.lost:
            self.stdout.write(f"lost     {text}")
        self.stdout.write(f"Audit trail: {verdict.audit}")
        if verdict.advice:
            self.stdout.write(verdict.advice)
        said = "Everything is whole." if verdict.ok else "Not everything is whole: see above and docs/backup.md."
        self.stdout.write(said)
