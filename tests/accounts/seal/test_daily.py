"""The daily verification: in slices, with a result that is seen."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Checkpoint, User, Verification
from accounts.seal import daily, state
from tests.accounts.seal.conftest import seal_now, sql
from tests.accounts.seal.test_sealer import write
from tests.factories import Place


def test_it_goes_on_from_slice_to_slice_and_tells_its_result(log: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "SLICE", 1)
    now, slices = timezone.now(), Checkpoint.objects.count()
    assert slices > 2
    for number in range(slices):
        assert Verification.objects.filter(ok=None).count() == (1 if number else 0)
        daily.verify_when_due(now=now)
    done = Verification.objects.get()
    assert (done.ok, done.findings, done.position) == (True, [], Checkpoint.objects.order_by("-size")[0].size)
    assert AuditEntry.objects.get(verb="audit.verified").additional_data["ok"] is True
    assert state().verification == done


def test_it_is_due_once_a_day(log: Place) -> None:
    now = timezone.now()
    for hours, runs in ((0, 1), (23, 1), (24, 2), (25, 2)):
        daily.verify_when_due(now=now + timedelta(hours=hours))
        assert Verification.objects.count() == runs


@pytest.mark.parametrize("slice_size", [1, 10_000])
def test_it_finds_an_edit_in_any_slice(log: Place, monkeypatch: pytest.MonkeyPatch, slice_size: int) -> None:
    monkeypatch.setattr(daily, "SLICE", slice_size)
    entry = AuditEntry.objects.order_by("-id")[0]
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", entry.pk)
    while not Verification.objects.filter(finished_at__isnull=False):
        daily.verify_when_due(now=timezone.now())
    done = Verification.objects.get()
    assert done.ok is False
    assert done.findings[0]["entry"] == entry.pk
    assert "found" in state().problems[0]


def test_it_verifies_across_many_batches(log: Place, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "SLICE", 100)
    for _number in range(4):
        write(operator, 150)
        seal_now()
    while not Verification.objects.filter(finished_at__isnull=False):
        daily.verify_when_due(now=timezone.now())
    assert Verification.objects.get().ok is True


def test_an_empty_log_is_not_verified(db: None) -> None:
    daily.verify_when_due(now=timezone.now())
    assert not Verification.objects.exists()
