"""Tokens of sources: what a leak of the database or of the log holds, and when a revoked one stops working."""

import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from inference.models import Source
from inference.tokens import TRUSTED_S
from tests.factories import Place, bearer, event_body

PROMISED_S = 5


def call(place: Place) -> int:
    body = event_body()
    answer: Any = Client().post("/api/v1/events", body, content_type="application/json", **bearer(place.token))
    return int(answer.status_code)


def test_neither_the_database_nor_the_log_holds_a_token(place: Place, capfd: Any, caplog: Any) -> None:
    """A31: after it was used, refused, and sent where it must not be."""
    assert call(place) == 201
    Client().get(f"/api/v1/source?token={place.token}", **bearer(place.token))
    Client().get("/api/v1/queues", **bearer(place.token))
    Client().get("/queues/", HTTP_COOKIE=f"sessionid={place.token}")
    secret = place.token.removeprefix("sls_")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert secret not in repr(cursor.fetchall()), table
    said = capfd.readouterr()
    assert secret not in said.out + said.err + caplog.text


def test_a_token_revoked_by_another_process_is_refused_within_the_promise(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A35: this process trusts what it has looked up for a moment, and no longer than is promised."""
    assert call(place) == 201
    Source.objects.filter(pk=place.source.pk).update(revoked_at=timezone.now())
    assert call(place) == 201, "still trusted, which is what makes this a test"
    real = time.monotonic
    monkeypatch.setattr("inference.tokens.time.monotonic", lambda: real() + TRUSTED_S)
    assert call(place) == 401
    assert TRUSTED_S < PROMISED_S
