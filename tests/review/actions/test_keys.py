"""Keys of one's own: kept as they are, small, and never with two meanings."""

from datetime import datetime
from typing import Any

import pytest

from accounts.exceptions import Invalid
from accounts.models import User
from review.actions.keys import change_keys, keys_for
from review.models import KeyBindings
from tests.factories import Place, sign_in


def test_they_are_kept_for_one_person(operator: User, supervisor: User, now: datetime) -> None:
    change_keys(person=operator, bindings={"skip": ["k", "k"], "bad-image": ["Ctrl+b"]}, now=now)
    change_keys(person=operator, bindings={"skip": ["ö"]}, now=now)
    assert (keys_for(operator), keys_for(supervisor)) == ({"skip": ["ö"]}, {})
    change_keys(person=operator, bindings={}, now=now)
    assert not KeyBindings.objects.exists()


@pytest.mark.parametrize(
    ("bindings", "code"),
    [
        (None, "schema"),
        (["skip"], "schema"),
        ({"skip": "k"}, "schema"),
        ({"skip": []}, "schema"),
        ({"skip": ["k", "l", "m", "n", "o"]}, "schema"),
        ({"Skip!": ["k"]}, "schema"),
        ({"skip": [1]}, "schema"),
        ({"skip": ["two words"]}, "schema"),
        ({"skip": ["\u200b"]}, "schema"),
        ({"skip": ["x" * 40]}, "schema"),
        ({f"c{'x' * number}": ["k"] for number in range(61)}, "schema"),
        ({"skip": ["k"], "unsure": ["k"]}, "key_clash"),
    ],
)
def test_what_is_no_table_of_keys_is_refused(operator: User, now: datetime, bindings: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        change_keys(person=operator, bindings=bindings, now=now)
    assert refused.value.code == code
    assert not KeyBindings.objects.exists()


def test_the_desk_gets_them_with_its_page(client: Any, place: Place, operator: User) -> None:
    sign_in(client, operator)
    said = client.post("/me/keys/", {"bindings": {"skip": ["k"]}}, content_type="application/json")
    assert (said.status_code, said.json()) == (200, {"bindings": {"skip": ["k"]}})
    assert client.get(f"/queues/{place.queue.pk}/desk/").context["desk"]["keys"] == {"skip": ["k"]}
    assert client.post("/me/keys/", {"bindings": 1}, content_type="application/json").status_code == 422
