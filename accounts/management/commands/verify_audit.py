import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from accounts.seal.verify import Report, verify


class Command(BaseCommand):
    help = (
        "Read the sealed log from its first entry: each row against its leaf, each root against its signed checkpoint, "
        "and both against what the anchors saw. Exit code 0 when all is well, 1 when something is not, 2 for wrong use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor",
            action="append",
            type=Path,
            default=[],
            metavar="FILE",
            help="a file of signed notes from an anchor, or a folder of such; may be repeated "
            "(without it: the files among the configured anchors)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
        parser.add_argument(
            "--since-checkpoint",
            type=int,
            default=0,
            metavar="SIZE",
            help="begin behind the checkpoint of so many entries, which an earlier run has verified",
        )
        parser.add_argument(
            "--accept-restore",
            action="store_true",
            help="entries that a restored backup explains as lost are listed, and are no error",
        )

    def handle(self, *args: Any, anchor: list[Path], since_checkpoint: int, **options: Any) -> None:
        try:
            report = verify(anchor_files=anchor, since=since_checkpoint, accept_restore=options["accept_restore"])
        except OSError as error:
            self.refuse(f"The anchor cannot be read: {error.filename}: {error.strerror}")
        except ImproperlyConfigured as error:
            self.refuse(str(error))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            self.tell(report)
        if not report.ok:
            sys.exit(1)

    def refuse(self, why: str) -> Any:
        self.stderr.write(why)
        sys.exit(2)

    def tell(self, report: Report) -> None:
        for problem in report.problems:
            self.stdout.write(f"{problem.code:<16} {problem.kind or ''} {problem.entry or ''}: {problem.problem}")
        if report.findings.count > len(report.findings.kept):
            self.stdout.write(f"... and {report.findings.count - len(report.findings.kept)} more.")
        if report.accept_restore:
            for problem in report.losses:
                self.stdout.write(f"accepted         {problem.problem}")
        for problem in report.late.kept:
            self.stdout.write(f"late             {problem.kind} {problem.entry}: {problem.problem}")
        self.stdout.write(f"{report.sealed} entries sealed, {report.unsealed} waiting.")
        self.stdout.write(f"Last anchored size: {report.anchored_size or 'none'}.")
        if not report.anchors:
            self.stdout.write("No anchor was compared (--anchor FILE): a cut tail or a log signed anew would not show.")
        self.stdout.write("The log is whole." if report.ok else "The log is not what was sealed.")
