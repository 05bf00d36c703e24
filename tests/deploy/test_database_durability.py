"""Durable before 201 on PostgreSQL: what the connection that the application uses says of itself."""

import pytest
from django.db import connection

from deploy.checks import shown, what_is_committed_is_kept

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_a_commit_waits_for_stable_storage() -> None:
    assert shown("default", "synchronous_commit") == "on"
    assert shown("default", "fsync") == "on"
    assert what_is_committed_is_kept(databases=["default"]) == []


def test_a_database_that_does_not_wait_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    (warning,) = what_is_committed_is_kept(databases=["default"])
    assert (warning.id, "synchronous_commit=off" in warning.msg) == ("secondlook.W003", True)
    assert what_is_committed_is_kept(databases=None) == []
