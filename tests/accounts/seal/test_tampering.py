"""Every kind of tampering, done by raw SQL, is found and named."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import audit
from accounts.anchors.file import FileAnchor
from accounts.anchors.interface import Mark
from accounts.models import AuditEntry, Checkpoint, Leaf, LeafNode, Unsealed, User
from accounts.seal import keys, sealer
from accounts.seal.kinds import KINDS
from accounts.seal.merkle import Frontier
from accounts.seal.note import checkpoint_text
from accounts.seal.rows import row_id
from accounts.seal.verify import Report, verify
from review.models import Event, EventEvidence, Retraction, Verdict
from tests.accounts.seal.conftest import seal_now, sql
from tests.factories import Place, post


def found(report: Report) -> set[tuple[Any, str]]:
    return {(problem.entry, problem.code) for problem in report.problems}


def keep(path: Path) -> None:
    """The newest checkpoint goes to an anchor outside."""
    end = Checkpoint.objects.order_by("-size").first()
    assert end is not None
    FileAnchor(path).put(Mark(end.size, bytes(end.root), end.note))


def write_entry(person: User) -> AuditEntry:
    from django.db import transaction

    with transaction.atomic():
        return audit.record("person.changed", actor=person, on=person, fields=["name"])


def test_a_log_that_nobody_touched_is_whole(log: Place) -> None:
    report = verify()
    assert report.ok, report.problems
    assert report.sealed == Leaf.objects.count() > 10
    assert report.unsealed == 0


def test_every_row_has_a_leaf(log: Place) -> None:
    for name, model in {
        "audit_entry": AuditEntry,
        "event": Event,
        "verdict": Verdict,
        "retraction": Retraction,
    }.items():
        assert Leaf.objects.filter(kind=name).count() == model._base_manager.count() > 0


def test_an_edited_entry_is_named(log: Place) -> None:
    entry = AuditEntry.objects.order_by("id")[3]
    sql("UPDATE accounts_auditentry SET object_repr = 'somebody else' WHERE id = %s", entry.pk)
    assert found(verify()) == {(entry.pk, "changed")}


EDITS = {
    "accounts_auditentry": [("timestamp", "2020-01-01 00:00:00.000000+00:00"), ("actor_id", None), ("verb", "x")],
    "review_event": [("top_confidence", 0.43), ("predictions", "[]"), ("camera_name", "other"), ("historical", True)],
    "review_verdict": [("answer", "empty"), ("note", "nothing seen"), ("labels", '[{"class":"bird"}]')],
    "review_retraction": [("created_at", "2020-01-01 00:00:00.000000+00:00")],
}


@pytest.mark.parametrize("table,column,value", [(table, *edit) for table, edits in EDITS.items() for edit in edits])
def test_any_column_of_any_kind_is_covered(log: Place, operator: User, table: str, column: str, value: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(CAST(id AS text)) FROM {table}")
        pk = cursor.fetchone()[0]
    if table == "accounts_auditentry":
        pk = AuditEntry.objects.filter(actor=operator).order_by("id").values_list("pk", flat=True)[0]
    sql(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, pk)
    assert [problem.code for problem in verify().problems] == ["changed"]


def test_an_edited_evidence_digest_is_an_edit_of_the_event(log: Place) -> None:
    part = EventEvidence.objects.get()
    sql("UPDATE review_eventevidence SET sha256 = %s WHERE id = %s", "0" * 64, part.pk)
    assert found(verify()) == {(str(part.event_id), "changed")}


def test_bytes_that_arrive_later_are_no_edit(log: Place) -> None:
    EventEvidence.objects.update(evidence=None)
    assert verify().ok


@pytest.mark.parametrize("kind,table", [("audit_entry", "accounts_auditentry"), ("retraction", "review_retraction")])
def test_a_removed_row_is_named(log: Place, kind: str, table: str) -> None:
    row = Leaf.objects.filter(kind=kind).order_by("index")[0].row
    sql(f"DELETE FROM {table} WHERE id = %s", int(row))
    assert found(verify()) == {(int(row), "removed")}


def test_a_row_removed_with_its_leaf_is_found(log: Place) -> None:
    leaf = Leaf.objects.filter(kind="audit_entry").order_by("index")[4]
    sql("DELETE FROM accounts_auditentry WHERE id = %s", int(leaf.row))
    leaf.delete()
    codes = {problem.code for problem in verify().problems}
    assert "leaf_removed" in codes


def test_a_leaf_removed_alone_is_found(log: Place) -> None:
    leaf = Leaf.objects.filter(kind="audit_entry").order_by("index")[4]
    leaf.delete()
    report = verify()
    assert (int(leaf.row), "inserted") in found(report)
    assert "leaf_removed" in {problem.code for problem in report.problems}


def test_a_row_put_in_behind_the_triggers_is_named(log: Place) -> None:
    copy = AuditEntry.objects.order_by("-id")[0]
    copy.pk = None
    copy.save(force_insert=True)
    Unsealed.objects.all().delete()
    assert found(verify()) == {(copy.pk, "inserted")}


def test_an_event_put_in_behind_the_triggers_is_named(log: Place) -> None:
    event = post(log).event
    Unsealed.objects.filter(kind="event").delete()
    assert found(verify()) == {(str(event.pk), "inserted")}


@pytest.mark.parametrize("sealed", [False, True])
def test_an_entry_put_in_among_older_ones_is_named(log: Place, operator: User, sealed: bool) -> None:
    """Through the triggers, so that it waits and is sealed like any other: its number gives it away."""
    copy = AuditEntry.objects.order_by("-id")[0]
    copy.pk = -1000
    copy.save(force_insert=True)
    if sealed:
        write_entry(operator)
        seal_now()
    assert found(verify()) == {(-1000, "inserted")}


def test_an_edited_leaf_is_told_from_an_edited_entry(log: Place) -> None:
    leaf = Leaf.objects.filter(kind="audit_entry").order_by("index")[2]
    Leaf.objects.filter(pk=leaf.pk).update(hash=b"x" * 32)
    assert found(verify()) == {(int(leaf.row), "leaf_changed")}


def test_an_entry_edited_together_with_its_leaf_is_narrowed_down(log: Place) -> None:
    from accounts.seal import rows
    from accounts.seal.merkle import leaf_hash

    leaf = Leaf.objects.filter(kind="audit_entry").order_by("index")[2]
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", int(leaf.row))
    forged = leaf_hash(rows.leaves(KINDS["audit_entry"], leaf.layout, [leaf.row])[leaf.row].data)
    Leaf.objects.filter(pk=leaf.pk).update(hash=forged)
    report = verify()
    assert not report.ok
    assert any(leaf.row in str(problem.entry).split(", ") for problem in report.problems)


def test_two_leaves_that_changed_places_are_found(log: Place) -> None:
    first, second = Leaf.objects.filter(kind="audit_entry").order_by("index")[2:4]
    for spare, leaf in ((10**9, first), (first.index, second), (second.index, Leaf(index=10**9))):
        sql('UPDATE accounts_leaf SET "index" = %s WHERE "index" = %s', spare, leaf.index)
    report = verify()
    assert not report.ok
    assert any({first.row, second.row} <= set(str(problem.entry).split(", ")) for problem in report.problems)


def test_a_changed_root_does_not_pass(log: Place) -> None:
    Checkpoint.objects.order_by("size").filter(size__lt=Leaf.objects.count()).update(root=b"y" * 32)
    assert {problem.code for problem in verify().problems} == {"bad_checkpoint"}


def test_a_checkpoint_signed_by_a_stranger_does_not_pass(log: Place) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    end = Checkpoint.objects.order_by("-size")[0]
    stranger = keys.Signer(end.note.split("\n")[0], Ed25519PrivateKey.generate())
    note = stranger.sign(end.note.partition("\n\n")[0] + "\n")
    Checkpoint.objects.filter(pk=end.pk).update(note=note)
    assert "bad_checkpoint" in {problem.code for problem in verify().problems}


def test_leaves_beyond_the_last_checkpoint_are_found(log: Place) -> None:
    Checkpoint.objects.order_by("-size")[0].delete()
    assert {problem.code for problem in verify().problems} == {"not_covered"}


def test_a_changed_inner_node_is_found(log: Place, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _number in range(300):
        write_entry(operator)
    seal_now()
    LeafNode.objects.update(hash=b"z" * 32)
    assert {problem.code for problem in verify().problems} == {"node_changed"}


def test_only_the_edited_one_of_many_is_blamed(log: Place, operator: User) -> None:
    for _number in range(600):
        write_entry(operator)
    seal_now()
    leaf = Leaf.objects.filter(kind="audit_entry").order_by("index")[300]
    Leaf.objects.filter(pk=leaf.pk).update(hash=b"x" * 32)
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", int(leaf.row))
    report = verify()
    assert (int(leaf.row), "changed") in found(report)
    assert {problem.code for problem in report.problems} <= {
        "changed",
        "stretch_changed",
        "not_covered",
        "node_changed",
    }


def cut_tail(size: int) -> None:
    for leaf in Leaf.objects.filter(index__gte=size):
        KINDS[leaf.kind].table._base_manager.filter(pk=row_id(KINDS[leaf.kind], leaf.row))._raw_delete("default")
    Leaf.objects.filter(index__gte=size).delete()
    LeafNode.objects.all().delete()
    Checkpoint.objects.filter(size__gt=size).delete()


def test_a_cut_tail_passes_without_an_anchor_and_not_with_it(log: Place, operator: User, tmp_path: Path) -> None:
    for _number in range(3):
        write_entry(operator)
    seal_now()
    keep(tmp_path / "notes")
    size = Checkpoint.objects.order_by("-size")[1].size
    cut_tail(size)
    assert verify().ok
    report = verify(anchor_files=[tmp_path / "notes"])
    assert {problem.code for problem in report.problems} == {"tail_cut"}
    assert report.problems[0].entry == f"{size} to {report.anchored_size - 1}"


def test_a_log_signed_anew_passes_without_an_anchor_and_not_with_it(log: Place, tmp_path: Path) -> None:
    """Somebody with the database and the key rewrites an entry, and all that hangs on it."""
    keep(tmp_path / "notes")
    row = Leaf.objects.filter(kind="audit_entry").order_by("index")[5].row
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", int(row))
    resign()
    assert verify().ok
    report = verify(anchor_files=[tmp_path / "notes"])
    assert {problem.code for problem in report.problems} == {"rewritten"}
    assert not report.ok


def resign() -> None:
    from accounts.seal import rows
    from accounts.seal.merkle import leaf_hash

    tree, ends = Frontier(), {end.size: end for end in Checkpoint.objects.all()}
    for leaf in Leaf.objects.order_by("index"):
        leaf.hash = leaf_hash(rows.leaves(KINDS[leaf.kind], leaf.layout, [leaf.row])[leaf.row].data)
        leaf.save(update_fields=["hash"])
        tree.extend([leaf.hash])
        if end := ends.get(tree.size):
            signer = keys.signer(end.note.split("\n")[0])
            end.root, end.note = tree.root(), signer.sign(checkpoint_text(signer.name, tree.size, tree.root()))
            end.save(update_fields=["root", "note"])


@contextmanager
def unchecked() -> Iterator[None]:
    """Without SQLite's checks, which would refuse what a damaged disk writes; the connection is not left like that."""
    if connection.vendor != "sqlite":
        yield
        return
    sql("PRAGMA ignore_check_constraints = ON")
    try:
        yield
    finally:
        sql("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.parametrize(
    "damage", ["timestamp = 'soon'", "additional_data = CAST(x'ff00fe' AS text)", "verb = x'00ff'"]
)
def test_damaged_bytes_are_one_changed_entry_and_no_crash(log: Place, damage: str) -> None:
    if connection.vendor != "sqlite":
        damage = "verb = chr(1)"
    entry = AuditEntry.objects.order_by("id")[3]
    with unchecked():
        sql(f"UPDATE accounts_auditentry SET {damage} WHERE id = %s", entry.pk)
    report = verify()
    assert [(problem.entry, problem.code in {"changed", "removed"}) for problem in report.problems] == [
        (entry.pk, True)
    ]


def test_an_anchor_of_another_log_or_none_is_said(log: Place, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "odd").write_text("hello\n\nworld\n" * 3)
    assert {one.code for one in verify(anchor_files=[tmp_path / "empty"]).problems} == {"anchor_empty"}
    assert {one.code for one in verify(anchor_files=[tmp_path / "odd"]).problems} == {"anchor_bad"}


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*args: str) -> tuple[int, str]:
        try:
            call_command("verify_audit", *args)
        except SystemExit as end:
            return int(end.code or 0), capsys.readouterr().out
        return 0, capsys.readouterr().out

    return run


def test_the_command_answers_as_the_contract_says(log: Place, command: Run) -> None:
    code, said = command("--json")
    answer = json.loads(said)
    assert (code, answer["ok"], answer["errors"]) == (0, True, [])
    assert answer["sealed"] == Leaf.objects.count()
    assert answer["checkpoint"].startswith("secondlook-")
    entry = AuditEntry.objects.order_by("id")[3]
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", entry.pk)
    code, said = command("--json")
    assert code == 1
    assert json.loads(said)["errors"][0]["entry"] == entry.pk


def test_the_command_speaks_plainly(log: Place, command: Run, tmp_path: Path) -> None:
    keep(tmp_path / "notes")
    code, said = command("--anchor", str(tmp_path / "notes"))
    assert code == 0
    assert f"Last anchored size: {Leaf.objects.count()}." in said
    assert command("--anchor", str(tmp_path / "missing"))[0] == 2


def test_verifying_on_from_a_checkpoint_sees_what_came_after_only(log: Place, command: Run) -> None:
    first, last = Checkpoint.objects.order_by("size")[0], Leaf.objects.filter(kind="event").order_by("-index")[0]
    old = Leaf.objects.filter(kind="audit_entry", index__lt=first.size).order_by("index")[0]
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", int(old.row))
    assert verify(since=first.size).ok
    sql("UPDATE review_event SET camera_name = 'x' WHERE id = %s", last.row)
    assert found(verify(since=first.size)) == {(row_id(KINDS["event"], last.row), "changed")}
    assert {one.code for one in verify(since=first.size + 1).problems} == {"no_checkpoint"}


def test_an_empty_log_is_whole(db: None) -> None:
    Unsealed.objects.all().delete()
    AuditEntry.objects.all().delete()
    report = verify()
    assert (report.ok, report.sealed, report.checkpoint) == (True, 0, None)
    assert sealer.seal(now=timezone.now()) == 0
