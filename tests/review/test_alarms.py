"""What the audit page says is wrong with the file store."""

from collections import namedtuple
from typing import Any

import pytest

from accounts.access import Reach
from accounts.alarms import alarms
from review.alarms import no_room

Usage = namedtuple("Usage", "total used free")
EVERYWHERE = Reach(True, frozenset(), frozenset())


@pytest.mark.parametrize(("free", "said"), [(199_999_999, 1), (200_000_000, 0)])
def test_a_disk_with_less_room_than_is_kept_free_alarms(
    free: int, said: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MIN_FREE_BYTES": 200_000_000}
    monkeypatch.setattr("review.evidence_store.shutil.disk_usage", lambda _path: Usage(10**9, 10**9 - free, free))
    found = no_room(EVERYWHERE)
    assert len(found) == said
    assert all("190.7\xa0MB left" in alarm.text and "no event is taken in" in alarm.text for alarm in found)


def test_it_is_among_the_alarms_of_the_audit_page(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MIN_FREE_BYTES": 1}
    monkeypatch.setattr("review.evidence_store.shutil.disk_usage", lambda _path: Usage(10**9, 10**9, 0))
    assert [alarm.about for alarm in alarms(EVERYWHERE)] == ["File store"]
