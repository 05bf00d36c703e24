"""The sealer: one log, whoever seals; nothing is left out, whenever it is committed."""

import subprocess
import sys
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import DataError, IntegrityError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, Checkpoint, Leaf, Lease, Unsealed, User
from accounts.roles import Role
from accounts.seal import keys, rows, sealer, state, waiting
from accounts.seal.kinds import AUDIT_ENTRY
from accounts.seal.note import Signer
from accounts.seal.sealer import CannotSeal, seal
from accounts.seal.verify import verify
from tests.accounts.seal.conftest import seal_now, sql
from tests.conftest import AtOnce
from tests.factories import Place, make_person, post, sign_in


def write(person: User, many: int = 1) -> None:
    for number in range(many):
        with transaction.atomic():
            audit.record("person.changed", actor=person, on=person, number=number)


def whole() -> None:
    """One log: every row once, no gap, every root right."""
    indexes = list(Leaf.objects.order_by("index").values_list("index", flat=True))
    assert indexes == list(range(len(indexes)))
    assert Leaf.objects.filter(kind="audit_entry").count() == AuditEntry.objects.count()
    report = verify()
    assert report.ok, report.problems


@pytest.mark.django_db(transaction=True)
def test_eight_sealers_at_once_make_one_log(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 7)
    write(make_person("ann"), 100)
    at_once(8, lambda _number: seal_now())
    assert Unsealed.objects.count() == 0
    whole()


@pytest.mark.django_db(transaction=True)
def test_eight_writers_and_sealers_at_once_make_one_log(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 9)
    person = make_person("ann")

    def work(number: int) -> None:
        for _turn in range(5):
            write(person, 4)
            seal_now()

    at_once(8, work)
    seal_now()
    assert AuditEntry.objects.count() >= 160
    whole()


SEALS = """
import django; django.setup()
from django.utils import timezone
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
from django.db import connections
connections["default"].settings_dict["NAME"] = {name!r}
from accounts.seal import sealer
sealer.BATCH = 11
sealer.seal(now=timezone.now())
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_processes_that_seal_at_once_make_one_log() -> None:
    write(make_person("ann"), 200)
    program = SEALS.format(name=str(connection.settings_dict["NAME"]))
    running = [subprocess.Popen([sys.executable, "-c", program], cwd=settings.BASE_DIR) for _number in range(4)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0, 0]
    assert Unsealed.objects.count() == 0
    whole()


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_comes_second_writes_nothing() -> None:
    write(make_person("ann"), 3)
    frontier, signer, last = sealer.log_end(None)
    batch = sealer.gather(timezone.now())
    seal_now()
    before = Leaf.objects.count()
    assert sealer.append(batch, frontier, signer, last=last, now=timezone.now()) == 0
    assert Leaf.objects.count() == before
    whole()


def test_the_database_refuses_a_second_leaf_for_a_row_and_a_place(log: Place) -> None:
    first = Leaf.objects.order_by("index")[0]
    for index, row in ((first.index, "12345"), (10**6, first.row)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Leaf(index=index, kind=first.kind, layout=1, row=row, hash=b"", ticket=1).save(force_insert=True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_committed_late_is_sealed_behind_the_ones_with_higher_numbers() -> None:
    person = make_person("ann")
    written, go_on = threading.Event(), threading.Event()
    late: list[int] = []

    def hold_open() -> None:
        try:
            with transaction.atomic():
                late.append(audit.record("person.changed", actor=person, on=person).pk)
                written.set()
                assert go_on.wait(30)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold_open)
    holder.start()
    assert written.wait(30)
    write(person, 5)
    seal_now()
    assert AuditEntry.objects.order_by("-id").values_list("pk", flat=True)[0] > late[0]
    assert not Leaf.objects.filter(kind="audit_entry", row=str(late[0])).exists()
    assert verify().ok
    go_on.set()
    holder.join(30)
    assert verify().unsealed == 1
    seal_now()
    assert Leaf.objects.order_by("-index")[0].row == str(late[0])
    whole()


def test_an_event_whose_id_is_older_is_sealed_all_the_same(log: Place) -> None:
    """A clock that stepped back, or a host whose clock is behind: keys and times tell nothing about the order."""
    event = post(log, now=timezone.now() - timedelta(hours=3)).event
    seal_now()
    assert Leaf.objects.order_by("-index").filter(kind="event")[0].row == event.pk.hex
    report = verify()
    assert report.ok
    assert [(problem.entry, problem.code) for problem in report.late.kept] == [(str(event.pk), "late")]


def test_nothing_waits_of_what_was_rolled_back(db: None) -> None:
    person = make_person("ann")
    before = Unsealed.objects.count()
    with transaction.atomic():
        audit.record("person.changed", actor=person, on=person)
        transaction.set_rollback(True)
    assert Unsealed.objects.count() == before


def test_a_row_that_is_gone_before_it_is_sealed_leaves_an_entry(log: Place, operator: User) -> None:
    write(operator)
    gone = AuditEntry.objects.order_by("-id")[0].pk
    sql("DELETE FROM accounts_auditentry WHERE id = %s", gone)
    seal_now()
    entry = AuditEntry.objects.get(verb="seal.row_dropped")
    assert entry.additional_data["row"] == str(gone)
    seal_now()
    whole()


@pytest.fixture
def unreadable(log: Place, operator: User, monkeypatch: pytest.MonkeyPatch) -> AuditEntry:
    """An entry whose bytes the database cannot give out, with one behind it."""
    write(operator, 2)
    spoilt = AuditEntry.objects.order_by("-id")[1]
    read = rows.read

    def refuse(kind: Any, layout: int, wanted: Any) -> Any:
        if kind is AUDIT_ENTRY and str(spoilt.pk) in wanted:
            raise ValueError("not a value")
        return read(kind, layout, wanted)

    monkeypatch.setattr(rows, "read", refuse)
    return spoilt


def test_a_row_that_cannot_be_read_holds_up_none_behind_it(unreadable: AuditEntry) -> None:
    seal_now()
    sealed = set(Leaf.objects.filter(kind="audit_entry").values_list("row", flat=True))
    assert str(unreadable.pk + 1) in sealed
    assert str(unreadable.pk) not in sealed
    seal_now()
    waits = Unsealed.objects.get()
    assert (waits.row, waits.unreadable_at is not None) == (str(unreadable.pk), True)
    assert AuditEntry.objects.get(verb="seal.row_unreadable").additional_data["row"] == str(unreadable.pk)
    report = verify()
    assert (report.ok, report.unsealed) == (True, 1)


def test_a_row_that_cannot_be_read_is_trouble_on_the_audit_page(unreadable: AuditEntry) -> None:
    seal_now()
    assert state().unreadable == [f"audit_entry {unreadable.pk}"]
    assert f"audit_entry {unreadable.pk}" in state().problems[0]
    browser = Client()
    sign_in(browser, make_person("ada", Role.ADMINISTRATOR))
    page = browser.get("/audit/").content.decode()
    assert "seal--unread" in page
    assert f"audit_entry {unreadable.pk}" in page


def test_a_row_that_can_be_read_again_is_sealed_within_the_hour(
    unreadable: AuditEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    seal(now=now)
    seal(now=now + timedelta(minutes=61))
    assert AuditEntry.objects.filter(verb="seal.row_unreadable").count() == 1
    monkeypatch.undo()
    seal(now=now + timedelta(minutes=62))
    assert not Leaf.objects.filter(row=str(unreadable.pk), kind="audit_entry").exists()
    seal(now=now + timedelta(minutes=122))
    seal_now()
    whole()
    assert state().unreadable == []


def test_rows_that_cannot_be_read_fill_no_batch(log: Place, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 3)
    write(operator, 4)
    monkeypatch.setattr(rows, "leaves", lambda kind, layout, wanted: {})
    seal_now()
    assert not AuditEntry.objects.filter(verb="seal.row_unreadable").exists()
    monkeypatch.undo()
    write(operator)
    assert seal_now() >= 1


def test_damaged_bytes_are_a_row_that_cannot_be_read(log: Place, operator: User) -> None:
    """SQLite keeps any bytes; PostgreSQL takes none that are no text."""
    write(operator, 2)
    spoilt = AuditEntry.objects.order_by("-id")[1]
    if connection.vendor == "postgresql":
        with pytest.raises(DataError), transaction.atomic():
            sql(
                "UPDATE accounts_auditentry SET verb = convert_from('\\xff00fe'::bytea, 'UTF8') WHERE id = %s",
                spoilt.pk,
            )
        return
    sql("PRAGMA ignore_check_constraints = ON")
    sql("UPDATE accounts_auditentry SET additional_data = CAST(x'ff00fe' AS text) WHERE id = %s", spoilt.pk)
    sql("PRAGMA ignore_check_constraints = OFF")
    seal_now()
    assert state().unreadable == [f"audit_entry {spoilt.pk}"]


def test_a_row_that_waits_twice_is_sealed_once(log: Place, operator: User) -> None:
    write(operator)
    last = AuditEntry.objects.order_by("-id")[0].pk
    Unsealed.objects.create(kind="audit_entry", row=str(last))
    seal_now()
    Unsealed.objects.create(kind="audit_entry", row=str(last))
    seal_now()
    seal_now()
    assert Leaf.objects.filter(row=str(last), kind="audit_entry").count() == 1
    assert verify().ok


def test_rows_from_before_the_log_are_set_waiting_once(log: Place) -> None:
    before = Unsealed.objects.count()
    waiting.enrol(connection, AUDIT_ENTRY)
    assert Unsealed.objects.count() == before
    Leaf.objects.all().delete()
    waiting.enrol(connection, AUDIT_ENTRY)
    assert Unsealed.objects.filter(kind="audit_entry").count() == AuditEntry.objects.count()


def test_triggers_that_a_migration_lost_come_back(db: None) -> None:
    table = "accounts_auditentry"
    on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
    sql(f'DROP TRIGGER "unsealed_{table}"{on}')
    assert table not in waiting.present(connection)
    waiting.install(connection)
    assert table in waiting.present(connection)


def test_nothing_is_added_to_a_log_whose_end_was_changed(log: Place, operator: User) -> None:
    write(operator)
    last = Leaf.objects.order_by("-index")[0]
    Leaf.objects.filter(pk=last.pk).update(hash=b"x" * 32)
    with pytest.raises(CannotSeal, match="not what its checkpoint says"):
        seal_now()
    last.delete()
    with pytest.raises(CannotSeal, match="missing"):
        seal_now()


def test_nothing_is_added_behind_a_stranger_s_signature(log: Place, operator: User) -> None:
    write(operator)
    end = Checkpoint.objects.order_by("-size")[0]
    stranger = Signer(end.note.split("\n")[0], Ed25519PrivateKey.generate())
    Checkpoint.objects.filter(pk=end.pk).update(note=stranger.sign(end.note.partition("\n\n")[0] + "\n"))
    with pytest.raises(CannotSeal, match="no known key"):
        seal_now()


def test_a_new_key_goes_on_where_the_old_one_is_known(log: Place, operator: User, settings: object) -> None:
    import base64

    from django.conf import settings as configured

    old = keys.signer(Checkpoint.objects.all()[0].note.split("\n")[0]).verifier
    fresh = base64.b64encode(b"n" * 32).decode()
    configured.SECONDLOOK = configured.SECONDLOOK | {"AUDIT_KEY": fresh}
    write(operator)
    with pytest.raises(CannotSeal):
        seal_now()
    configured.SECONDLOOK = configured.SECONDLOOK | {"AUDIT_OLD_KEYS": [old.vkey]}
    seal_now()
    changed = AuditEntry.objects.get(verb="seal.key_changed")
    assert changed.additional_data["before"] == old.vkey
    assert changed.additional_data["after"] != old.vkey
    seal_now()
    assert verify().ok
    assert AuditEntry.objects.filter(verb="seal.key_changed").count() == 1


def test_it_seals_at_once_when_a_batch_is_full_and_else_every_20_seconds(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    due = sealer.seal_when_due
    assert due(now=now) > 0
    write(make_person("ann"), 3)
    assert due(now=now + timedelta(seconds=19)) == 0
    assert due(now=now + timedelta(seconds=20)) > 3
    monkeypatch.setattr(sealer, "BATCH", 4)
    write(make_person("bob"), 3)
    assert due(now=now + timedelta(seconds=21)) >= 4


def test_a_tick_seals_no_more_than_its_share(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 1)
    assert sealer.seal_when_due(now=timezone.now()) == sealer.BATCHES_PER_TICK
    assert Unsealed.objects.exists()


def test_order_is_the_index_when_the_clock_steps_back(log: Place, operator: User) -> None:
    past: datetime = timezone.now() - timedelta(days=1)
    write(operator)
    seal(now=past)
    sizes = list(Checkpoint.objects.order_by("created_at").values_list("size", flat=True))
    assert sizes != sorted(sizes)
    write(operator)
    seal_now()
    whole()


def test_sealing_takes_the_same_queries_however_long_the_log_is(
    log: Place, operator: User, django_assert_max_num_queries: object
) -> None:
    write(operator, 600)
    seal_now()
    assert Lease.objects.filter(name="seal").exists()
    write(operator, 5)
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        seal_now(batches=1)
