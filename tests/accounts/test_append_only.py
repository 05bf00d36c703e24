"""The database itself keeps history as it was written."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts import append_only, audit
from accounts.models import AuditEntry, User
from accounts.seal.anchoring import anchor_last
from accounts.seal.sealer import seal
from review import schemas
from review.actions.evidence import store_evidence
from review.actions.intake import take_in
from review.actions.mapping import create_missing
from review.actions.openings import open_events
from review.actions.reopening import reopen
from review.actions.sequencer import sequence_outcomes
from review.actions.verdicts import undo
from review.models import Event, Item, ParkingCause, SequencedOutcome
from tests.factories import Place, claim, event_body, give_answer, jpeg, make_item, post, sha256


@pytest.fixture
def protected(db: None) -> Iterator[None]:
    """The triggers, within the transaction of one test."""
    append_only.install(connection)
    yield
    append_only.remove(connection)


@pytest.fixture
def history(place: Place, operator: User) -> None:
    """One row at least of everything that is protected: intake, verdict, undo, verdict, and its number."""
    make_item(place, picture=jpeg())
    taken = claim(place, operator)
    again = undo(verdict=give_answer(taken).verdict, now=timezone.now())
    final = give_answer(again, "empty").verdict
    open_events(person=operator, site=place.site, event=None, reason="a look", now=timezone.now())
    later = timezone.now() + timedelta(minutes=1)
    sequence_outcomes(now=later)
    reopen(verdict=final, person=operator, reason="it was a bird", now=later)
    # An inner node is kept over 256 leaves.
    for _number in range(256):
        audit.record("person.changed", actor=operator, on=operator)
    seal(now=timezone.now())
    anchor_last(now=timezone.now())
    # As if it were committed: PostgreSQL empties no table whose foreign keys are still to be checked.
    connection.check_constraints()


PROTECTED = pytest.mark.parametrize("label", append_only.PROTECTED)


def some_column(model: type[models.Model]) -> str:
    return next(field.name for field in model._meta.concrete_fields if not field.primary_key)


def raw(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def writes(model: type[models.Model]) -> dict[str, Callable[[], Any]]:
    """Every way in which a row could be changed or removed."""
    row, column, table = model._default_manager.all()[0], some_column(model), model._meta.db_table
    rows = model._default_manager.filter(pk=row.pk)
    ways: dict[str, Callable[[], Any]] = {
        "save": row.save,
        "save one field": lambda: row.save(update_fields=[column]),
        "update": lambda: rows.update(**{column: getattr(row, column)}),
        "bulk_update": lambda: model._default_manager.bulk_update([row], [column]),
        "delete all": lambda: rows._raw_delete(rows.db),
        "raw update": lambda: raw(f'UPDATE "{table}" SET "{model._meta.pk.column}" = "{model._meta.pk.column}"'),
        "raw delete": lambda: raw(f'DELETE FROM "{table}"'),
    }
    if connection.vendor == "postgresql":
        ways["truncate"] = lambda: raw(f'TRUNCATE "{table}" CASCADE')
    return ways


@PROTECTED
def test_no_way_of_writing_changes_what_is_there(history: None, protected: None, label: str) -> None:
    model = apps.get_model(label)
    before = list(model._default_manager.order_by("pk").values())
    assert before
    for name, write in writes(model).items():
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            write()
        assert list(model._default_manager.order_by("pk").values()) == before, name


@PROTECTED
def test_without_the_triggers_the_same_writes_go_through(history: None, label: str) -> None:
    model = apps.get_model(label)
    for name in ("save", "update", "raw update"):
        with transaction.atomic():
            writes(model)[name]()


def test_the_whole_loop_works_with_the_triggers_on(protected: None, history: None) -> None:
    assert Event.objects.count() == 1
    assert SequencedOutcome.objects.count() == 1
    assert Item.objects.get().state == "open"
    assert AuditEntry.objects.filter(verb__in=["verdict.undone", "verdict.reopened"]).count() == 2


def test_evidence_that_comes_later_is_no_change_of_the_event(protected: None, place: Place) -> None:
    picture = jpeg()
    body = event_body(picture=picture)
    take_in(source=place.source, posted=schemas.read(schemas.EventIn, body), body=body, files={}, now=timezone.now())
    stored = store_evidence(
        source=place.source, sha256=sha256(picture), content_type="image/jpeg", data=picture, now=timezone.now()
    )
    assert stored.created


def test_mapping_a_parked_event_is_no_change_of_it(protected: None, place: Place, supervisor: User) -> None:
    post(place, predictions=[{"id": "p1", "class": "unicorn", "confidence": 0.5, "box": [1, 1, 5, 5]}])
    came = create_missing(
        site=place.site, cause=ParkingCause.CLASS, value="unicorn", person=supervisor, now=timezone.now()
    )
    assert came == 1


def test_every_protected_table_has_its_triggers(protected: None) -> None:
    assert len(append_only.tables(connection)) == len(append_only.PROTECTED)
    assert len(append_only.present(connection)) == 2 * len(append_only.PROTECTED)


def test_making_them_again_changes_nothing(protected: None) -> None:
    before = append_only.present(connection)
    append_only.install(connection)
    assert append_only.present(connection) == before


def test_a_trigger_that_was_lost_comes_back_with_the_next_migrate(protected: None, settings: Any) -> None:
    on = ' ON "review_event"' if connection.vendor == "postgresql" else ""
    name = sorted(name for name in append_only.present(connection) if "review_event_" in name)[0]
    raw(f'DROP TRIGGER "{name}"{on}')
    settings.SECONDLOOK = settings.SECONDLOOK | {"APPEND_ONLY": True}
    call_command("migrate", verbosity=0)
    assert name in append_only.present(connection)


def test_a_migrate_without_the_setting_takes_them_away(protected: None) -> None:
    call_command("migrate", verbosity=0)
    assert append_only.present(connection) == set()


def test_the_way_round_opens_and_closes(history: None, protected: None) -> None:
    with append_only.lifted(connection):
        Event.objects.update(rule="erased")
    assert Event.objects.get().rule == "erased"
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.update(rule="again")


def test_an_error_on_the_way_round_leaves_everything_as_it_was(history: None, protected: None) -> None:
    before = append_only.present(connection)
    with pytest.raises(ZeroDivisionError), append_only.lifted(connection):
        Event.objects.update(rule=str(1 // 0))
    assert append_only.present(connection) == before
