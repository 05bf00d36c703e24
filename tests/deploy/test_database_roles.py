"""Two roles on a real PostgreSQL: the one that the server runs under cannot change what is kept."""

import io
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.utils import timezone

from accounts import append_only
from accounts.models import AuditEntry, User
from deploy.apps import give_running_role_its_rights
from deploy.checks import the_running_role_cannot_change_what_is_kept
from deploy.database import roles
from review.actions.releases import make_release
from review.actions.sequencer import sequence_outcomes
from review.actions.verdicts import undo
from review.models import ReleaseState, Verdict
from review.releases.build import build
from tests.factories import Place, claim, give_answer, jpeg, make_item

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PASSWORD = secrets.token_urlsafe(24)


def said(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.fixture
def role(transactional_db: None, settings: Any) -> Iterator[str]:
    """A running role with its rights, as the command gives them."""
    name = f"sl_run_{secrets.token_hex(4)}"
    settings.SECONDLOOK = settings.SECONDLOOK | {"RUNTIME_ROLE": name, "RUNTIME_PASSWORD": PASSWORD}
    said("database_roles", "--apply")
    yield name
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f'DROP OWNED BY "{name}"')
        cursor.execute(f'DROP ROLE "{name}"')


@pytest.fixture
def running(role: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of its own, signed in as the running role."""
    where = connection.settings_dict
    with psycopg.connect(
        host=where["HOST"] or None,
        port=where["PORT"] or None,
        dbname=where["NAME"],
        user=role,
        password=PASSWORD,
        autocommit=True,
    ) as opened:
        yield opened


@pytest.fixture
def as_running(role: str) -> Iterator[None]:
    """Django's own connection under the running role."""
    with connection.cursor() as cursor:
        cursor.execute(f'SET ROLE "{role}"')
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def tampering(table: str, column: str) -> dict[str, str]:
    return {
        "update": f'UPDATE "{table}" SET "{column}" = "{column}"',
        "delete": f'DELETE FROM "{table}"',
        "truncate": f'TRUNCATE "{table}" CASCADE',
        "drop trigger": f'DROP TRIGGER "append_only_{table}_rows" ON "{table}"',
        "disable triggers": f'ALTER TABLE "{table}" DISABLE TRIGGER ALL',
        "new trigger": f'CREATE TRIGGER x BEFORE INSERT ON "{table}" EXECUTE FUNCTION tsvector_update_trigger()',
        "rename": f'ALTER TABLE "{table}" RENAME TO x',
        "drop column": f'ALTER TABLE "{table}" DROP COLUMN "{column}"',
        "rule": f'CREATE RULE x AS ON INSERT TO "{table}" DO INSTEAD NOTHING',
        "take over": f'ALTER TABLE "{table}" OWNER TO CURRENT_USER',
        "drop": f'DROP TABLE "{table}" CASCADE',
        "lock": f'SELECT * FROM "{table}" FOR UPDATE',
    }


@pytest.mark.parametrize("label", append_only.PROTECTED)
def test_the_running_role_changes_nothing_that_is_kept(
    running: "psycopg.Connection[Any]", label: str, subtests: pytest.Subtests
) -> None:
    append_only.install(connection)
    try:
        model: Any = apps.get_model(label)
        table, column = model._meta.db_table, model._meta.concrete_fields[-1].column
        assert running.execute(f'SELECT count(*) FROM "{table}"').fetchone() is not None
        for name, sql in tampering(table, column).items():
            with subtests.test(name), pytest.raises(psycopg.errors.InsufficientPrivilege):
                running.execute(sql)
    finally:
        append_only.remove(connection)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x (y int)",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION secondlook_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET session_replication_role = replica",
        "DELETE FROM django_migrations",
        "CREATE ROLE x",
    ],
)
def test_the_running_role_builds_no_way_round(running: "psycopg.Connection[Any]", sql: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        running.execute(sql)


def test_the_whole_loop_works_under_the_running_role(place: Place, operator: User, as_running: None) -> None:
    make_item(place, picture=jpeg())
    now = timezone.now()
    again = undo(verdict=give_answer(claim(place, operator)).verdict, now=now)
    give_answer(again, "empty")
    later = now + timedelta(minutes=1)
    sequence_outcomes(now=later)
    assert Verdict.objects.count() == 2
    frozen = make_release(
        person=operator, site=place.site, queues=[place.queue], now=later, since=now - timedelta(days=9), enqueue=False
    )
    made = build(frozen.pk)
    assert made is not None
    assert made.state == ReleaseState.READY
    assert AuditEntry.objects.exists()


def test_auditlogs_own_flush_fails(place: Place, operator: User, as_running: None) -> None:
    make_item(place)
    give_answer(claim(place, operator))
    before = AuditEntry.objects.count()
    with pytest.raises(ProgrammingError, match="permission denied"):
        call_command("auditlogflush", "--yes", stdout=io.StringIO())
    assert AuditEntry.objects.count() == before > 0


def look() -> list[str | None]:
    return [message.id for message in the_running_role_cannot_change_what_is_kept(databases=["default"])]


def test_the_check_finds_a_role_that_may_too_much(role: str, as_running: None) -> None:
    assert look() == []
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f'GRANT DELETE ON review_event TO "{role}"')
        cursor.execute(f'SET ROLE "{role}"')
    assert look() == ["secondlook.E001"]


def test_the_check_finds_the_owner_itself(role: str) -> None:
    assert look() == ["secondlook.E001"]


def test_the_check_finds_a_role_that_may_too_little(role: str, as_running: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f'REVOKE UPDATE ON review_item FROM "{role}"')
        cursor.execute(f'SET ROLE "{role}"')
    assert look() == ["secondlook.E003"]


def test_a_table_that_comes_later_is_given_after_migrate(role: str, running: "psycopg.Connection[Any]") -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id bigserial PRIMARY KEY)")
    try:
        running.execute("INSERT INTO later DEFAULT VALUES")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            running.execute("DELETE FROM later")
        give_running_role_its_rights(using="default")
        running.execute("DELETE FROM later")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE later")


def test_a_right_that_somebody_gave_is_taken_back_after_migrate(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'GRANT ALL ON accounts_auditentry TO "{role}"')
    assert not roles.state(connection, role).good
    give_running_role_its_rights(using="default")
    assert roles.state(connection, role).good


def test_the_command_prints_what_it_would_do_and_no_password(role: str) -> None:
    text = said("database_roles")
    assert "BEGIN;" in text
    [kept] = [line for line in text.splitlines() if line.startswith("REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES")]
    assert '"accounts_auditentry"' in kept
    assert PASSWORD not in text


def test_the_migrating_role_is_never_the_running_one(db: None) -> None:
    with pytest.raises(CommandError, match="another one"):
        said("database_roles", "--role", connection.settings_dict["USER"])


def test_the_command_without_two_roles_says_what_to_set(db: None) -> None:
    with pytest.raises(CommandError, match="SECONDLOOK_MIGRATION_DATABASE_URL"):
        said("database_roles")
