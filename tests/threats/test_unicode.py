"""Text as people, devices and attackers write it: never a fault, on either database."""

from dataclasses import replace

import pytest
from django.db import transaction

from accounts.roles import Role
from tests.doors import API, PAGES, Caller, World, content, make_world

TEXTS = {
    "decomposed": "Cafe\u0301",
    "compatible": "\uff21dmin \ufb01",
    "zero width": "a\u200bd\u2060min\ufeff",
    "turned": "\u202egnp.exe\u2066",
    "turkish": "\u0130stanbul \u0131",
    "emoji": "\U0001f469\u200d\U0001f3ed",
    "marks": "e" + "\u0301" * 100,
    "controls": "a\x01\x1b[31mb\r\nc",
    "astral": "\U0010fffe\U000e0041",
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_text_is_a_fault(db: None, name: str) -> None:
    """A70: in each text of each valid request, one at a time."""
    world: World = make_world()
    for one in [one for one in PAGES + API if one.body and one.method != "GET"]:
        role = next(role for role in Role if role in one.allowed)
        with transaction.atomic():
            body = one.body(world) if one.body else {}
            for key in [key for key, value in body.items() if isinstance(value, str)]:
                with transaction.atomic():
                    changed = replace(one, body=lambda _w, b=body | {key: TEXTS[name]}: b)
                    answer = Caller(world.people[role], one in API).call(changed, world, tries="unicode")
                    assert answer.status_code < 500, (str(one), key, content(answer)[:200])
                    transaction.set_rollback(True)
            transaction.set_rollback(True)
