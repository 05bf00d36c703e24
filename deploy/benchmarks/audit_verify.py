"""How long the sealed log takes to seal and to verify, beside plain hashing of the same leaves.

Synthetic audit entries in a SQLite database of their own (or in an empty PostgreSQL database, `--database URL`). They
are written many to a statement: once with the trigger taken off that sets them waiting, then, when those are gone
again, with it; the difference is what the trigger costs. All are sealed, verified with an anchor, and a hundred proved.
The baseline hashes the bytes of one entry's leaf as often, each time with another number in it, through the same JSON
encoder and tree, and reads nothing else. Each runs in a process of its own; memory is the growth of its peak.

    python -m deploy.benchmarks.audit_verify [--rows 100000] [--json] [--database postgresql://...]

The budget is for `--rows 1000000`.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deploy.benchmarks.release_rows import peak_bytes, set_up

BUDGET_S = 60.0
FACTS = json.dumps({"answer": "correct", "labelled": [["bird", 0.42, [10.5, 20.25, 40.0, 50.0]]], "item": "x" * 36})


def start(folder: Path, database: str) -> None:
    if database:
        os.environ["SECONDLOOK_TEST_DATABASE_URL"] = database
        os.environ["SECONDLOOK_AUDIT_ANCHORS"] = f"file:{folder}/notes.txt"
    set_up(folder)
    if database:
        from django.db import connections

        from deploy.settings import env

        connections["default"].settings_dict.update(env.database("SECONDLOOK_TEST_DATABASE_URL"))


def insert(rows: int) -> None:
    """Entries as `record` writes them, in chunks of one statement."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection, transaction
    from django.utils import timezone

    from accounts.models import AuditEntry

    content_type = ContentType.objects.get_for_model(AuditEntry)
    for begun in range(0, rows, 5000):
        with transaction.atomic():
            AuditEntry.objects.bulk_create(
                AuditEntry(
                    verb="verdict.given",
                    content_type=content_type,
                    object_pk=str(number),
                    object_repr=f"event {number}",
                    action=1,
                    changes=None,
                    additional_data=json.loads(FACTS),
                    circumstances={"door": "page", "roles": ["operator"]},
                    remote_addr="10.0.0.7",
                    timestamp=timezone.now(),
                )
                for number in range(begun, min(begun + 5000, rows))
            )
    connection.close()


def migrate(_rows: int) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def write(rows: int) -> None:
    insert(rows)


def write_without_trigger(rows: int) -> None:
    """The same insert with nothing set waiting; the rows go again, and the trigger comes back."""
    from django.db import connection

    from accounts.models import AuditEntry
    from accounts.seal import waiting

    table = AuditEntry._meta.db_table
    on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{waiting.PREFIX}_{table}"{on}')
    insert(rows)
    assert table not in waiting.present(connection)


def put_back(_rows: int) -> None:
    """Remove what was written without the trigger, and make the trigger again."""
    from django.db import connection

    from accounts import append_only
    from accounts.models import AuditEntry
    from accounts.seal import waiting

    with append_only.lifted(connection):
        AuditEntry.objects.filter(verb="verdict.given").delete()
    waiting.install(connection)
    assert AuditEntry._meta.db_table in waiting.present(connection)


def seal_all(_rows: int) -> None:
    from django.utils import timezone

    from accounts.seal.anchoring import anchor_last
    from accounts.seal.sealer import seal

    seal(now=timezone.now())
    anchor_last(now=timezone.now())


def verify_all(rows: int) -> None:
    from accounts.seal.verify import verify

    report = verify()
    assert report.ok, report.problems[:3]
    assert report.sealed >= rows
    assert report.anchored_size == report.sealed


def prove_many(_rows: int) -> None:
    """A hundred proofs, spread over the log, each without help of the one before."""
    from accounts.models import Leaf
    from accounts.seal.proof import proof_of_leaf

    size = Leaf.objects.count()
    for leaf in Leaf.objects.filter(index__in=[size * place // 100 for place in range(100)]):
        assert proof_of_leaf(leaf) is not None


def hash_only(rows: int) -> None:
    """The baseline: JSON and hashes of as many leaves of the same columns, in memory; nothing is read but one entry."""
    from accounts.models import AuditEntry
    from accounts.seal import rows as stored
    from accounts.seal.kinds import AUDIT_ENTRY
    from accounts.seal.leaf import encode, read_json
    from accounts.seal.merkle import Frontier, leaf_hash

    first = AuditEntry.objects.filter(verb="verdict.given").order_by("id").values_list("pk", flat=True)[0]
    leaf = json.loads(stored.leaves(AUDIT_ENTRY, AUDIT_ENTRY.layout, [str(first)])[str(first)].data)
    texts = {name: json.dumps(leaf["row"][name]) for name in ("additional_data", "circumstances")}
    tree = Frontier()
    for begun in range(0, rows, 5000):
        numbers = range(begun, min(begun + 5000, rows))
        tree.extend(
            [leaf_hash(encode(numbered(leaf, first + number, texts, read_json)).encode()) for number in numbers]
        )
    assert tree.size == rows


def numbered(leaf: dict[str, Any], number: int, texts: dict[str, str], read: Callable[[str], Any]) -> dict[str, Any]:
    """The leaf of another entry: its number, and its JSON columns read from their text as the database gives them."""
    return leaf | {"row": leaf["row"] | {"id": number} | {name: read(text) for name, text in texts.items()}}


WAYS: dict[str, Callable[[int], None]] = {
    "migrate": migrate,
    "write without the trigger": write_without_trigger,
    "put the trigger back": put_back,
    "write through the trigger": write,
    "seal and anchor": seal_all,
    "verify with the anchor": verify_all,
    "prove 100 entries": prove_many,
    "hash only (baseline)": hash_only,
}


def child(folder: Path, database: str, way: str, rows: int, answers: Any) -> None:
    start(folder, database)
    from django.db import connection

    if connection.vendor == "sqlite":
        # Mapped pages of the database file would count as this process's memory.
        connection.cursor().execute("PRAGMA mmap_size=0")
    before, began, worked = peak_bytes(), time.perf_counter(), time.process_time()
    WAYS[way](rows)
    answers.put((time.perf_counter() - began, time.process_time() - worked, peak_bytes() - before))


def measure(rows: int, database: str) -> Iterator[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        for way in WAYS:
            answers = context.Queue()
            process = context.Process(target=child, args=(Path(place), database, way, rows, answers))
            process.start()
            process.join()
            seconds, cpu_s, grown = answers.get(timeout=5)
            yield {
                "way": way,
                "rows": rows,
                "seconds": round(seconds, 2),
                "cpu_seconds": round(cpu_s, 2),
                "peak_growth_mb": round(grown / 1e6, 1),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds to seal and verify the log.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", default="", help="an empty PostgreSQL database instead of SQLite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = []
    for one in measure(options.rows, options.database):
        results.append(one)
        if not options.json:
            figures = f"{one['seconds']:>8} s  {one['cpu_seconds']:>8} cpu s  {one['peak_growth_mb']:>7} MB"
            print(f"{one['rows']:>8} rows  {figures}  {one['way']}", flush=True)
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print(f"Budget: 1,000,000 entries verified in {BUDGET_S:.0f} s (--rows 1000000).")


if __name__ == "__main__":
    main()
