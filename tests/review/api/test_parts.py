"""Files that come in parts, because a connection broke off."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from review import partials
from review.evidence_store import StoreFull
from review.models import Event, Evidence
from tests.conftest import AtOnce
from tests.factories import Place, bearer, event_body, jpeg, make_place, post, sha256

PICTURE = jpeg((10, 90, 200), (640, 480))
DIGEST = sha256(PICTURE)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.SECONDLOOK = settings.SECONDLOOK | {"PARTIALS": str(tmp_path / "partials")}
    return tmp_path / "partials"


@pytest.fixture
def event(place: Place) -> Event:
    return post(place, evidence=event_body(picture=PICTURE)["evidence"]).event


def put(place: Place, start: int, stop: int, *, total: int = len(PICTURE), data: bytes = b"", said: str = "") -> Any:
    headers = {"Content-Range": said or f"bytes {start}-{stop - 1}/{total}"}
    body = data or PICTURE[start:stop]
    path = f"/api/v1/evidence/{DIGEST}"
    return Client().put(path, body, content_type="image/jpeg", headers=headers, **bearer(place.token))


def state(place: Place, digest: str = DIGEST) -> Any:
    return Client().get(f"/api/v1/evidence/{digest}", **bearer(place.token))


def test_a_file_comes_in_parts_and_goes_on_where_it_broke_off(place: Place, event: Event, folder: Path) -> None:
    assert state(place).json() == {"status": "pending", "received": 0}
    first = put(place, 0, 700)
    assert (first.status_code, first.json()) == (202, {"status": "partial", "received": 700})
    assert state(place).json() == {"status": "partial", "received": 700}
    assert not Evidence.objects.exists()
    last = put(place, 700, len(PICTURE))
    assert (last.status_code, last.json()) == (201, {"status": "stored"})
    assert state(place).json() == {"status": "stored"}
    assert event.evidence_rows.get().evidence.sha256 == DIGEST
    assert list(partials.all_files()) == []


def test_a_part_again_is_no_error_and_a_gap_is(place: Place, event: Event) -> None:
    put(place, 0, 500)
    assert put(place, 200, 600).json()["received"] == 600
    assert put(place, 0, 500).json()["received"] == 600
    gap = put(place, 900, 1000)
    assert (gap.status_code, gap.json()["code"], gap.json()["received"]) == (409, "offset_mismatch", 600)
    assert put(place, 600, len(PICTURE)).status_code == 201


def test_other_bytes_than_announced_are_thrown_away(place: Place, event: Event) -> None:
    put(place, 0, 500, data=b"x" * 500)
    refused = put(place, 500, len(PICTURE))
    assert (refused.status_code, refused.json()["code"]) == (422, "digest_mismatch")
    assert state(place).json() == {"status": "pending", "received": 0}
    assert not Evidence.objects.exists()


def test_what_came_is_kept_when_the_store_is_full_for_a_while(
    place: Place, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(place, 0, 500)
    monkeypatch.setattr("review.actions.evidence.pressure.require_quota", refuse)
    assert put(place, 500, len(PICTURE)).status_code == 503
    monkeypatch.undo()
    assert state(place).json() == {"status": "partial", "received": len(PICTURE)}
    assert put(place, len(PICTURE) - 1, len(PICTURE)).status_code == 201


def refuse(*_site: Any, **_more: Any) -> None:
    raise StoreFull


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("bytes 5-2/10", 422, "bad_range"),
        ("bytes 0-10/10", 422, "bad_range"),
        ("bytes 0-99/1000", 422, "bad_range"),
        ("bytes */100", 422, "bad_range"),
        ("pages 1-2/3", 422, "bad_range"),
        ("bytes 0-499/999999999999", 413, "too_large"),
    ],
)
def test_a_range_that_cannot_be_is_refused(place: Place, event: Event, said: str, status: int, code: str) -> None:
    answer = put(place, 0, 500, said=said)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert list(partials.all_files()) == []


def test_what_no_event_of_the_source_announced_is_not_kept(place: Place, elsewhere: Place, event: Event) -> None:
    place.token, mine = elsewhere.token, place.token
    assert put(place, 0, 500).status_code == state(place).status_code == 404
    place.token = mine
    assert state(place, "0" * 64).status_code == state(place, "x").status_code == 404
    assert list(partials.all_files()) == []


def test_a_source_has_few_at_a_time_and_none_for_ever(place: Place, folder: Path) -> None:
    for number in range(partials.MOST + 5):
        partials.append(source_id=place.source.pk, sha256=f"{number:064x}", start=0, data=b"x")
        os.utime(partials.path_of(place.source.pk, f"{number:064x}"), (time.time() - 1000 + number,) * 2)
    assert len(list(partials.all_files())) == partials.MOST
    assert partials.received(place.source.pk, f"{0:064x}") == 0
    assert partials.sweep() == 0
    for path in partials.all_files():
        os.utime(path, (0, 0))
    assert partials.sweep() == partials.MOST


@pytest.mark.django_db(transaction=True)
def test_two_who_send_the_same_file_at_once_store_it_once(at_once: AtOnce) -> None:
    place = make_place("yard")
    post(place, evidence=event_body(picture=PICTURE)["evidence"])
    put(place, 0, 500)
    answers = at_once(4, lambda _number: put(place, 500, len(PICTURE)).status_code)
    assert Evidence.objects.count() == 1
    assert sorted(answers) == [200, 200, 200, 201]
    assert state(place).json() == {"status": "stored"}
