"""What a restored backup explains: what was anchored between it and its return, and nothing else."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.anchors.configured import anchors
from accounts.models import Checkpoint, Leaf, Unsealed, User
from accounts.seal import anchoring
from accounts.seal.verify import Report, verify
from deploy.backup.restoring import anchored_size
from tests.accounts.seal.conftest import seal_now, sql
from tests.accounts.seal.test_tampering import cut_tail, keep, resign, write_entry
from tests.factories import Place


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


def size() -> int:
    return Checkpoint.objects.order_by("-size")[0].size


def grow(person: User, notes: Path, many: int = 5) -> None:
    """Entries that are sealed and anchored."""
    for _number in range(many):
        write_entry(person)
    seal_now()
    keep(notes)


def lose(backup: int, notes: Path, **facts: Any) -> None:
    """A backup of `backup` entries comes back."""
    cut_tail(backup)
    Unsealed.objects.all().delete()
    told = {"sealed": backup, "restored_at": timezone.now().isoformat(), "anchored": largest(notes)} | facts
    with transaction.atomic():
        audit.record("system.restored", actor=None, **told)


def largest(notes: Path) -> int:
    return max(int(line) for line in notes.read_text().splitlines() if line.isdecimal())


def later(notes: Path) -> None:
    """The file was written to after the restore."""
    os.utime(notes, (time.time() + 60, time.time() + 60))


def codes(report: Report) -> set[str]:
    return {problem.code for problem in report.problems}


def tamper() -> None:
    """Rewrite the last entry that was sealed, and sign all anew with the real key."""
    row = Leaf.objects.filter(kind="audit_entry").order_by("-index")[0].row
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", int(row))
    resign()


def test_it_explains_the_loss_and_is_never_silent(log: Place, operator: User, notes: Path) -> None:
    backup = size()
    grow(operator, notes)
    lose(backup, notes)
    for _turn in range(3):
        report = verify(anchor_files=[notes])
        assert (report.ok, codes(report)) == (False, {"lost_by_restore"})
        accepted = verify(anchor_files=[notes], accept_restore=True)
        assert accepted.ok
        assert accepted.as_json()["accepted"]
        grow(operator, notes, 10)


@pytest.mark.parametrize("few", [1, 20], ids=["the log has not passed the old end", "it has"])
def test_tampering_after_a_restore_is_found(log: Place, operator: User, notes: Path, few: int) -> None:
    backup = size()
    grow(operator, notes, 8)
    lose(backup, notes)
    grow(operator, notes, few)
    later(notes)
    assert verify(anchor_files=[notes], accept_restore=True).ok
    tamper()
    report = verify(anchor_files=[notes], accept_restore=True)
    assert not report.ok
    assert codes(report) == {"rewritten"}


@pytest.mark.parametrize("few", [1, 20])
def test_a_tail_cut_after_a_restore_is_found(log: Place, operator: User, notes: Path, few: int) -> None:
    backup = size()
    grow(operator, notes, 8)
    lose(backup, notes)
    seal_now()
    keep(notes)
    restored = size()
    grow(operator, notes, few)
    later(notes)
    cut_tail(restored)
    Unsealed.objects.all().delete()
    report = verify(anchor_files=[notes], accept_restore=True)
    assert (report.ok, codes(report)) == (False, {"tail_cut"})


def test_a_lower_note_that_a_tamperer_leaves_does_not_help(log: Place, operator: User, notes: Path) -> None:
    """It looks like one more restore, of which the log does not tell."""
    backup = size()
    grow(operator, notes, 3)
    lose(backup, notes)
    grow(operator, notes, 20)
    grow(operator, notes, 5)
    tampered = Checkpoint.objects.order_by("-size")[1].size
    cut_tail(tampered)
    Unsealed.objects.all().delete()
    tamper()
    keep(notes)
    later(notes)
    report = verify(anchor_files=[notes], accept_restore=True)
    assert (report.ok, codes(report)) == (False, {"rewritten", "tail_cut"})


def test_what_is_older_than_the_backup_must_agree(log: Place, operator: User, notes: Path) -> None:
    keep(notes)
    lose(size(), notes)
    seal_now()
    row = Leaf.objects.filter(kind="audit_entry").order_by("index")[5].row
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", int(row))
    resign()
    assert codes(verify(anchor_files=[notes], accept_restore=True)) == {"rewritten"}


def test_two_restores_explain_their_own_losses(log: Place, operator: User, notes: Path) -> None:
    first = size()
    grow(operator, notes, 30)
    lose(first, notes)
    grow(operator, notes, 3)
    second = size()
    grow(operator, notes, 10)
    lose(second, notes)
    grow(operator, notes, 2)
    later(notes)
    assert verify(anchor_files=[notes], accept_restore=True).ok
    tamper()
    assert codes(verify(anchor_files=[notes], accept_restore=True)) == {"rewritten"}


@pytest.mark.parametrize(
    "facts",
    [{"sealed": 999_999}, {"sealed": "x"}, {"sealed": None}, {"restored_at": "soon"}, {"restored_at": None}],
    ids=str,
)
def test_an_entry_that_tells_nothing_usable_explains_nothing(
    log: Place, operator: User, notes: Path, facts: dict[str, Any]
) -> None:
    backup = size()
    grow(operator, notes)
    lose(backup, notes, **facts)
    assert codes(verify(anchor_files=[notes], accept_restore=True)) == {"tail_cut"}


def test_one_note_per_file_goes_by_the_file_s_time(log: Place, operator: User, tmp_path: Path) -> None:
    """As in a copy of a bucket, which keeps the times of its objects."""
    backup, folder = size(), tmp_path / "bucket"
    folder.mkdir()
    grow(operator, folder / "1")
    lose(backup, folder / "1")
    assert verify(anchor_files=[folder], accept_restore=True).ok
    grow(operator, folder / "2", 20)
    later(folder / "2")
    assert verify(anchor_files=[folder], accept_restore=True).ok
    tamper()
    assert codes(verify(anchor_files=[folder], accept_restore=True)) == {"rewritten"}


def test_a_restore_notes_what_the_anchors_outside_hold(log: Place, operator: User, settings: Any, notes: Path) -> None:
    settings.DATA_DIR = notes.parent / "data"
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_ANCHORS": [f"file:{notes}"]}
    assert len(anchors()) == 1
    last = Checkpoint.objects.order_by("-size")[0]
    assert anchored_size(last) is None
    anchoring.anchor_last(now=timezone.now())
    assert anchored_size(last) == last.size
    settings.DATA_DIR = notes.parent
    assert anchored_size(last) is None
