"""kill -9 at a named point of a request that gives a verdict."""

import os
import signal
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponseBase

BEFORE_COMMIT, AFTER_COMMIT, BEFORE_ANSWER = "before-commit", "after-commit", "before-answer"
HEADER = "X-Die"


class DyingMiddleware:
    """Outermost: what comes back through it goes to the client next."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        point = request.headers.get(HEADER)
        if point in {BEFORE_COMMIT, AFTER_COMMIT}:
            die_at_commit(point)
        response = self.get_response(request)
        if point == BEFORE_ANSWER:
            die()
        return response


def die_at_commit(point: str) -> None:
    """Die around the commit of the transaction that adds a verdict; other commits pass."""
    before, commit = verdicts(), connection._commit

    def dying(*args: Any) -> None:
        ours = verdicts() > before
        if ours and point == BEFORE_COMMIT:
            die()
        commit(*args)
        if ours:
            die()

    connection._commit = dying  # type: ignore[method-assign]


def verdicts() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM review_verdict")
        (found,) = cursor.fetchone()
    return int(found)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
