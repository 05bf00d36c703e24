"""The tick: one worker at a time."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Lease
from review import tick
from tests.conftest import AtOnce

LASTS = timedelta(seconds=15)


def test_a_lease_has_one_holder_until_it_ends(db: None, now: datetime) -> None:
    take = Lease.objects.take
    assert take("tick", holder="a", now=now, lasts=LASTS)
    assert take("tick", holder="a", now=now, lasts=LASTS)
    assert not take("tick", holder="b", now=now, lasts=LASTS)
    assert take("other", holder="b", now=now, lasts=LASTS)
    assert take("tick", holder="b", now=now + LASTS, lasts=LASTS)
    assert not take("tick", holder="a", now=now + LASTS, lasts=LASTS)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_it_at_once_one_gets_it(at_once: AtOnce, now: datetime) -> None:
    won = at_once(8, lambda number: Lease.objects.take("tick", holder=str(number), now=now, lasts=LASTS))
    assert sum(won) == 1


def test_who_does_not_hold_the_lease_does_nothing(db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    monkeypatch.setattr(tick, "sequence_outcomes", lambda *, now: did.append("numbered"))
    assert tick.tick()
    Lease.objects.update(holder="somebody else")
    assert not tick.tick()
    assert did == ["numbered"]
