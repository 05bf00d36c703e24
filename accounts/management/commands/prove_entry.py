import json
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from accounts.models.seal import Leaf
from accounts.seal import keys
from accounts.seal.kinds import KINDS
from accounts.seal.proof import Proof, proof_of_leaf


class Command(BaseCommand):
    help = (
        "Write the proof that an entry is in the sealed log; docs/seal.md says how anybody checks it without this "
        "program. Exit code 1 when there is no proof: not sealed yet, unknown, or no longer what was sealed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("entry", help="the id of an audit entry, event or verdict")
        parser.add_argument("--kind", choices=sorted(KINDS), help="when an id alone does not say")
        parser.add_argument("--json", action="store_true", help="the proof alone, as one JSON object")

    def handle(self, *args: Any, entry: str, kind: str | None, **options: Any) -> None:
        leaf = find_leaf(entry, kind)
        proof = proof_of_leaf(leaf) if leaf else None
        if leaf is None or proof is None:
            self.stderr.write(f"There is no proof for {entry}: it is not sealed, or no longer what was sealed.")
            sys.exit(1)
        if options["json"]:
            self.stdout.write(json.dumps(proof.as_json()))
        else:
            self.tell(leaf, proof)

    def tell(self, leaf: Leaf, proof: Proof) -> None:
        self.stdout.write(f"{leaf.kind} {leaf.row} is entry {proof.index} of {proof.size} in the log.")
        self.stdout.write(f"Key that signs today: {keys.signer(proof.note.partition(chr(10))[0]).verifier.vkey}")
        self.stdout.write(json.dumps(proof.as_json(), indent=1))


def find_leaf(entry: str, kind: str | None) -> Leaf | None:
    """The leaf of a row by its id; a number without a kind is an audit entry's."""
    try:
        row = str(int(entry)) if entry.isdecimal() else UUID(entry).hex
    except ValueError:
        return None
    found = Leaf.objects.filter(row=row)
    if kind or entry.isdecimal():
        found = found.filter(kind=kind or "audit_entry")
    return found.first()
