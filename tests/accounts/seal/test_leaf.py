"""The bytes of a leaf: the same on both databases, and no column left out."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, User
from accounts.seal import rows
from accounts.seal.kinds import AUDIT_ENTRY, KINDS
from accounts.seal.leaf import decimal_number, read_json

ODD = {
    "b": 1.0,
    "a": [0.1, 1e22, 1e300, 1e-7, -0.0, 10**30, 2**53 + 1, 1.5, 0.1 + 0.2],
    "é": 'ü \u2028 \U0001f600 "quoted" \\ /',
    "": None,
    "Z": {"y": True, "x": [], "w": {}},
}
SAME = (
    '"additional_data":{"":null,"Z":{"w":{},"x":[],"y":true},"a":[0.1,10000000000000000000000,'
    + "1"
    + "0" * 300
    + ',1e-07,0,1000000000000000000000000000000,9007199254740993,1.5,0.30000000000000004],"b":1,'
    '"\\u00e9":"\\u00fc \\u2028 \\ud83d\\ude00 \\"quoted\\" \\\\ /"}'
)


@pytest.mark.parametrize("name", list(KINDS))
def test_every_column_of_a_sealed_row_is_in_its_leaf(name: str) -> None:
    """A new column makes a new layout: add one to the kind's `layouts` that has it, and leave the old ones alone."""
    kind = KINDS[name]
    assert set(kind.layouts[kind.layout]) == {field.column for field in kind.table._meta.concrete_fields}
    if kind.parts:
        columns = {field.column for field in apps.get_model(kind.parts.model)._meta.concrete_fields}
        assert columns - set(kind.parts.columns) == {"id", kind.parts.parent, "evidence_id"}


def entry_of(person: User, **changes: Any) -> AuditEntry:
    with transaction.atomic():
        entry = audit.record("person.changed", actor=person, on=person, **ODD)
    AuditEntry.objects.filter(pk=entry.pk).update(**changes)
    return entry


def told(entry: AuditEntry) -> str:
    return rows.leaves(AUDIT_ENTRY, 1, [str(entry.pk)])[str(entry.pk)].data.decode("ascii")


def test_numbers_keys_and_letters_are_the_same_on_both_databases(operator: User) -> None:
    assert SAME in told(entry_of(operator))


@pytest.mark.parametrize("micro,text", [(0, ".000000Z"), (5, ".000005Z"), (120000, ".120000Z")])
def test_instants_have_six_digits(operator: User, micro: int, text: str) -> None:
    at = timezone.now().replace(microsecond=micro)
    said = json.loads(told(entry_of(operator, timestamp=at)))["row"]["timestamp"]
    assert said == at.strftime("%Y-%m-%dT%H:%M:%S") + text


def test_addresses_have_no_mask_and_empty_is_not_null(operator: User) -> None:
    row = json.loads(told(entry_of(operator, remote_addr="10.0.0.7", changes_text="", cid=None)))["row"]
    assert (row["remote_addr"], row["changes_text"], row["cid"]) == ("10.0.0.7", "", None)
    row = json.loads(told(entry_of(operator, remote_addr="2001:db8::1")))["row"]
    assert row["remote_addr"] == "2001:db8::1"


def test_what_json_stores_differently_reads_the_same() -> None:
    assert read_json('{"a": 1E+2, "b": 100.0}') == {"a": 100, "b": 100}
    assert [type(decimal_number(text)) for text in ("1.0", "1.5", "1e3")] == [int, float, int]


def test_a_key_that_is_none_is_no_row(db: None) -> None:
    assert rows.leaves(AUDIT_ENTRY, 1, ["x", "", "9" * 18]) == {}
    assert rows.leaves(KINDS["event"], 1, ["0" * 32]) == {}


def test_one_unreadable_row_does_not_hide_the_others(operator: User) -> None:
    if connection.vendor != "sqlite":
        return
    entries = [entry_of(operator) for _number in range(5)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET verb = CAST(x'ff' AS text) WHERE id = %s", [entries[2].pk])
    found = rows.leaves(AUDIT_ENTRY, 1, [str(entry.pk) for entry in entries])
    assert set(found) == {str(entry.pk) for entry in entries} - {str(entries[2].pk)}
