"""INV: what must hold after every fault, whatever it was. Each invariant is one function that returns what is wrong."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from tests.faults.ledger import Ledger
from tests.faults.product import Product

Query = Callable[[str], list[tuple[Any, ...]]]


def check(product: Product, ledger: Ledger) -> None:
    """All of them, on a product that works again. The list names the invariants that are broken, and by what."""
    query = query_of(product)
    broken = [
        *(f"I1 {one}" for one in acknowledged_events(query, ledger, product.folder)),
        *(f"I2 {one}" for one in events_without_media(query)),
        *(f"I3 {one}" for one in doubled_keys(query)),
        *(f"I4 {one}" for one in verdicts_without_their_story(query)),
        *(f"I5 {one}" for one in impossible_items(query)),
        *(f"I6 {one}" for one in commands_that_fail(product)),
        *(f"I9 {one}" for one in pages_that_fail(product)),
    ]
    assert not broken, broken


def query_of(product: Product) -> Query:
    address = product.environment.get("SECONDLOOK_DATABASE_URL")

    def ask(sql: str) -> list[tuple[Any, ...]]:
        if address:
            with psycopg.connect(address) as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(product.folder / "secondlook.sqlite3")) as connection:
            return connection.execute(sql).fetchall()

    return ask


def acknowledged_events(query: Query, ledger: Ledger, folder: Path) -> Iterator[str]:
    """I1: every acknowledged event is there once, with its bytes."""
    rows = query("SELECT e.event_id, v.sha256 FROM review_event e JOIN review_eventevidence v ON v.event_id = e.id")
    there: dict[str, list[str]] = {}
    for key, sha256 in rows:
        there.setdefault(str(UUID(str(key))), []).append(sha256)
    for key, sha256 in ledger.acknowledged.items():
        if there.get(key) != [sha256]:
            yield f"{key} was acknowledged with {sha256[:8]} and is {there.get(key)}"
            continue
        files = list((folder / "media" / "evidence").glob(f"*/{sha256[:2]}/{sha256}"))
        if [hashlib.sha256(path.read_bytes()).hexdigest() for path in files] != [sha256]:
            yield f"{key} has not its bytes"


def events_without_media(query: Query) -> list[str]:
    """I2: evidence that was announced is stored, or waits as pending."""
    sql = (
        "SELECT v.id FROM review_eventevidence v JOIN review_evidence s ON s.id = v.evidence_id "
        "WHERE s.state = 'damaged' AND s.damage = ''"
    )
    return [f"evidence {key} is damaged without a reason" for (key,) in query(sql)]


def doubled_keys(query: Query) -> list[str]:
    """I3: no source has two events under one id."""
    sql = "SELECT event_id FROM review_event GROUP BY source_id, event_id HAVING count(*) > 1"
    return [f"two events {key}" for (key,) in query(sql)]


def verdicts_without_their_story(query: Query) -> list[str]:
    """I4: a verdict, its audit entry and the item's outcome: all of them or none."""
    entries = query("SELECT count(*) FROM accounts_auditentry WHERE verb = 'verdict.given'")[0][0]
    verdicts = query("SELECT count(*) FROM review_verdict")[0][0]
    closed = query("SELECT count(*) FROM review_item WHERE verdict_id IS NOT NULL AND state = 'open'")[0][0]
    alone = query(
        "SELECT count(*) FROM review_verdict v LEFT JOIN review_item i ON i.verdict_id = v.id WHERE i.id IS NULL"
    )
    retracted = query("SELECT count(*) FROM review_retraction")[0][0]
    found = [] if entries == verdicts else [f"{verdicts} verdicts, {entries} entries"]
    found += [f"{closed} open items have a verdict"] if closed else []
    return found + ([f"{alone[0][0]} verdicts decide nothing"] if alone[0][0] > retracted else [])


def impossible_items(query: Query) -> list[str]:
    """I5: one open item per event, one live claim per item, and each claim has a holder and an end."""
    twice = query("SELECT event_id FROM review_item WHERE state = 'open' GROUP BY event_id HAVING count(*) > 1")
    claims = query("SELECT item_id FROM review_claim WHERE ended_at IS NULL GROUP BY item_id HAVING count(*) > 1")
    endless = query("SELECT id FROM review_claim WHERE holder_id IS NULL OR expires_at IS NULL")
    return [f"item or claim {key}" for (key,) in [*twice, *claims, *endless]]


def commands_that_fail(product: Product) -> Iterator[str]:
    """I6: files are what their rows say, and the trail is what was sealed."""
    found = product.checked()
    if found["files"]:
        yield f"files {found['files'][:5]}"
    if not found["audit"]["ok"]:
        yield f"audit {found['audit']['errors'][:5]}"


def pages_that_fail(product: Product) -> Iterator[str]:
    """I9: what people and programs read answers."""
    with product.operator() as client:
        for path in ("/queues", "/events", "/verdicts"):
            answer = client.get(path)
            if answer.status_code != 200:
                yield f"{path} {answer.status_code} {json.dumps(answer.text[:200])}"
