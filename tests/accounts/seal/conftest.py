"""A log to tamper with: some entries of every kind, sealed in several batches."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.seal import sealer
from review.actions.verdicts import undo
from tests.factories import Place, claim, give_answer, jpeg, make_item, post


def sql(statement: str, *values: Any) -> None:
    """What somebody does who has the database and lifts the triggers (the suite runs without them)."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def seal_now(**options: Any) -> int:
    return sealer.seal(now=timezone.now(), **options)


@pytest.fixture
def log(place: Place, operator: User) -> Place:
    """Three checkpoints over audit entries, events, verdicts and a retraction."""
    make_item(place, picture=jpeg())
    seal_now()
    taken = claim(place, operator)
    undo(verdict=give_answer(taken).verdict, now=timezone.now())
    seal_now()
    for number in range(3):
        post(place, captured_at=(timezone.now() - timedelta(seconds=number)).isoformat())
    seal_now()
    return place
