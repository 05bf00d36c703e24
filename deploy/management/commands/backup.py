import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from deploy.backup import keys
from deploy.backup.exceptions import BackupError
from deploy.backup.taking import take


class Command(BaseCommand):
    help = (
        "Write a backup of database, files and keys into a folder of its own below TARGET, while the server works. "
        "Files that the last backup there has already are linked to it. Exit code 0 when the backup is whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, metavar="TARGET", help="folder that holds the backups")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
        parser.add_argument("--keep", type=int, metavar="N", help="afterwards remove all but the newest N")
        parser.add_argument("--reread", action="store_true", help="copy every file anew instead of linking")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--with-secrets", action="store_true", default=None, dest="with_secrets")
        which.add_argument(
            "--without-secrets",
            action="store_false",
            dest="with_secrets",
            help="default in production; the embedded server's backups hold its own secrets",
        )

    def handle(self, *args: Any, target: Path, **options: Any) -> None:
        keep, secrets = options["keep"], options["with_secrets"]
        if keep is not None and keep < 1:
            raise CommandError("--keep takes a whole number from 1 on.")
        with_secrets = keys.embedded() if secrets is None else secrets
        try:
            done = take(
                target=target, now=timezone.now(), with_secrets=with_secrets, keep=keep, reread=options["reread"]
            )
        except BackupError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True} | done))
        else:
            self.tell(done)

    def tell(self, done: dict[str, Any]) -> None:
        self.stdout.write(f"{done['backup']}: {done['copied']} files copied ({done['bytes']:,} bytes)")
        self.stdout.write(f"{done['linked']} files linked to the backup before; {done['sealed']} entries sealed")
        for name, what in done["problems"].items():
            self.stdout.write(f"{what:<8} {name}")
        if done["secrets"]:
            self.stdout.write(f"It holds secrets ({', '.join(done['secrets'])}): keep it where nobody else reads.")
            return
        self.stdout.write("It holds no secrets. Keep these elsewhere:")
        for name, why in keys.KEEP.items():
            self.stdout.write(f"  {name}: {why}")
