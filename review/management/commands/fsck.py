import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from review.actions.file_damage import mark_damage_seen
from review.file_check import Findings, check_files


class Command(BaseCommand):
    help = (
        "Read every stored file and compare it with its row: missing files, damaged ones, and files that no row points "
        "to (younger ones than an hour are left alone). Exit code 0 when all is well, 1 otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
        parser.add_argument(
            "--mend",
            action="store_true",
            help="remove orphans, make renditions again, and mark evidence damaged whose original is lost or altered; "
            "evidence whose file is back as it was stored is good again",
        )
        parser.add_argument(
            "--seen",
            action="store_true",
            help="read nothing: say that the damage found so far is being looked after, so that /readyz stops alarming",
        )

    def handle(self, *args: Any, mend: bool, seen: bool, **options: Any) -> None:
        if seen:
            for name in mark_damage_seen(now=timezone.now()):
                self.stdout.write(f"seen     {name}")
            return
        findings = check_files(now=timezone.now(), mend=mend)
        if options["json"]:
            said = {"ok": findings.ok} | asdict(findings)
            if not mend:
                del said["mended"]
            self.stdout.write(json.dumps(said))
        else:
            self.tell(findings)
        if not findings.ok:
            sys.exit(1)

    def tell(self, findings: Findings) -> None:
        kinds = {"missing": findings.missing_files, "damaged": findings.damaged, "orphan": findings.orphan_files}
        for kind, names in kinds.items():
            for name in names:
                self.stdout.write(f"{kind:<8} {name}{'  (mended)' if name in findings.mended else ''}")
        self.stdout.write("All files are what their rows say." if findings.ok else "Some files are not what they were.")
