"""Whatever the API answers in these tests, its code is described."""

from typing import Any

import pytest

from review import problems
from review.api.description.codes import CODES


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = problems.problem

    def checked(error: Any) -> Any:
        assert CODES.get(error.code, (0,))[0] == error.status, f"{error.code} ({error.status}) is not described"
        return answer(error)

    monkeypatch.setattr(problems, "problem", checked)
