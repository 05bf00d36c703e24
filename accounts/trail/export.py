"""Entries as files: CSV for people, JSON Lines with their proofs for programs.

Both are streamed by id in batches, so that a million entries take no more room than a thousand.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.models import AuditEntry
from accounts.sentences import sentence
from accounts.trail.sealed import Prover
from accounts.trail.spreadsheet import cell

BATCH = 500
FORMAT = "secondlook-audit/1"
COLUMNS = (
    "id",
    "at",
    "verb",
    "sentence",
    "person",
    "username",
    "roles",
    "door",
    "site",
    "queue",
    "subject",
    "object_type",
    "object",
    "object_name",
    "address",
    "request",
    "facts",
    "circumstances",
    "leaf_index",
    "leaf_hash",
)


@dataclass
class Export:
    """The entries of one export up to `last`, and what to do between batches (`alive`) and when it is over."""

    rows: QuerySet[AuditEntry]
    last: int
    alive: Callable[[], None] = lambda: None
    over: Callable[[], None] = lambda: None

    def batches(self) -> Iterator[list[AuditEntry]]:
        """The entries in the order of their ids."""
        after = 0
        rows = self.rows.filter(pk__lte=self.last).select_related("actor", "content_type").order_by("pk")
        while batch := list(rows.filter(pk__gt=after)[:BATCH]):
            yield batch
            after = batch[-1].pk
            self.alive()

    def stream(self, form: str) -> Iterator[bytes]:
        """The bytes of the file; `over` is called however it ends."""
        try:
            yield from {"csv": self.csv, "jsonl": self.json_lines}[form]()
        finally:
            self.over()

    def csv(self) -> Iterator[bytes]:
        """One row per entry, and a last one with the checkpoint that the leaf hashes lead to."""
        prover = Prover()
        yield csv_lines([COLUMNS])
        for batch in self.batches():
            places = prover.places(batch)
            yield csv_lines(
                [[cell(value) for value in row_of(entry, places.get(entry.pk)).values()] for entry in batch]
            )

        yield csv_lines([[cell(note_row(prover.note).get(column)) for column in COLUMNS]])

    def json_lines(self) -> Iterator[bytes]:
        """What this is with the checkpoint, then the entries with their proofs, then the count."""
        prover = Prover()
        size = prover.checkpoint.size if prover.checkpoint else 0
        yield json_line({"format": FORMAT, "checkpoint": prover.note, "size": size})
        count = 0
        for batch in self.batches():
            places = prover.places(batch)
            proofs = prover.proofs(list(places.values()))
            for entry in batch:
                row = row_of(entry, places.get(entry.pk))
                row["facts"], row["circumstances"] = entry.additional_data, entry.circumstances
                yield json_line(row | {"proof": proofs.get(entry.pk)})
                count += 1
        yield json_line({"format": FORMAT, "entries": count})


def row_of(entry: AuditEntry, leaf: Any) -> dict[str, Any]:
    """An entry as a flat row. Names and roles are those of the time when it was written, where it knows them."""
    then = entry.circumstances or {}
    return {
        "id": entry.pk,
        "at": entry.timestamp.isoformat(),
        "verb": entry.verb,
        "sentence": sentence(entry),
        "person": then.get("name") or str(entry.actor or ""),
        "username": then.get("username") or (entry.actor.username if entry.actor else ""),
        "roles": " ".join(then.get("roles", [])),
        "door": then.get("door", ""),
        "site": text(entry.site_id),
        "queue": text(entry.queue_id),
        "subject": text(entry.subject_id),
        "object_type": entry.content_type.model,
        "object": entry.object_pk,
        "object_name": entry.object_repr,
        "address": entry.remote_addr,
        "request": entry.cid,
        "facts": compact(entry.additional_data or {}),
        "circumstances": compact(then),
        "leaf_index": leaf.index if leaf else None,
        "leaf_hash": bytes(leaf.hash).hex() if leaf else None,
    }


def note_row(note: str) -> dict[str, Any]:
    return {"verb": "checkpoint", "facts": note}


def text(value: Any) -> str | None:
    return str(value) if value else None


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def json_line(value: Any) -> bytes:
    return compact(value).encode() + b"\n"


def csv_lines(rows: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
