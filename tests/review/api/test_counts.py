"""`POST counts`: totals of what was seen, kept effectively once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inference.actions.counts import Total, store_counts
from inference.actions.sites import create_source
from inference.models import SeenCount
from inference.models.counts import BINS
from tests.conftest import AtOnce
from tests.factories import Place, bearer, make_place

HOUR = "2026-11-23T08:00:00Z"


def row(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "camera": "cam-1",
        "hour": HOUR,
        "model": {"name": "detector", "version": "1.0"},
        "class": "person",
        "histogram": [0] * 15 + [3, 5, 7, 2, 1],
        "frames": 1000,
    }
    return {key: value for key, value in (made | changes).items() if value is not ...}


def send(place: Place, *rows: Any, **extra: Any) -> Any:
    body = {"counts": list(rows)} | extra
    return Client().post("/api/v1/counts", body, content_type="application/json", **bearer(place.token))


def test_what_was_seen_is_kept_by_hour_and_class(place: Place) -> None:
    frames = row(**{"class": ..., "histogram": ...})
    assert send(place, row(), row(**{"class": "bird"}), frames).json() == {"status": "stored", "rows": 3}
    person = SeenCount.objects.get(class_name="person")
    assert (person.objects_seen, person.frames, person.site, person.source) == (18, 1000, place.site, place.source)
    assert SeenCount.objects.get(class_name="").objects_seen == 0


def test_a_repeat_changes_nothing_and_a_larger_total_replaces_a_smaller_one(place: Place) -> None:
    send(place, row())
    assert send(place, row()).json()["rows"] == 0
    assert send(place, row(frames=2000, histogram=[9] * BINS)).json()["rows"] == 1
    assert send(place, row()).json()["rows"] == 0
    kept = SeenCount.objects.get()
    assert (kept.frames, kept.objects_seen) == (2000, 180)


def test_unknown_names_are_kept(place: Place) -> None:
    _source, place.token = create_source(site=place.site, name="any camera", maker=None)
    assert send(place, row(camera="nobody-knows", **{"class": "unicorn"})).status_code == 200


def test_the_camera_is_the_tokens(place: Place) -> None:
    send(place, row(camera=...))
    assert SeenCount.objects.get().camera_name == "cam-1"
    refused = send(place, row(camera="cam-2"))
    assert (refused.status_code, refused.json()["code"]) == (422, "camera_mismatch")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hour": "2026-11-23T08:30:00Z"}, "$.counts[0]"),
        ({"hour": "2026-11-23T08:00:00"}, "$.counts[0].hour"),
        ({"hour": 1764057600}, "$.counts[0].hour"),
        ({"histogram": [1] * 19}, "$.counts[0].histogram"),
        ({"histogram": [1.5] * BINS}, "$.counts[0].histogram[0]"),
        ({"histogram": [-1] * BINS}, "$.counts[0].histogram[0]"),
        ({"histogram": ...}, "$.counts[0]"),
        ({"class": ...}, "$.counts[0]"),
        ({"frames": -1}, "$.counts[0].frames"),
        ({"frames": True}, "$.counts[0].frames"),
        ({"frames": 10**13}, "$.counts[0].frames"),
        ({"class": "a\u0000b"}, "$.counts[0].class"),
        ({"surprise": 1}, "$.counts[0].surprise"),
    ],
)
def test_what_cannot_be_is_refused_with_its_path(place: Place, changes: dict[str, Any], path: str) -> None:
    answer = send(place, row(**changes))
    assert (answer.status_code, answer.json()["code"]) == (422, "schema")
    assert any(error["path"].startswith(path) for error in answer.json()["errors"])
    assert not SeenCount.objects.exists()


def test_an_hour_that_has_not_come_is_refused(place: Place) -> None:
    hour = (timezone.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    assert send(place, row(hour=hour.isoformat())).json()["code"] == "time_out_of_range"


def test_more_than_a_thousand_rows_are_refused_and_a_thousand_cost_few_queries(
    place: Place, django_assert_max_num_queries: Any
) -> None:
    rows = [row(**{"class": f"class {number}"}) for number in range(1000)]
    assert send(place, *rows, row()).status_code == 422
    with django_assert_max_num_queries(14):
        assert send(place, *rows).json()["rows"] == 1000


@pytest.mark.django_db(transaction=True)
def test_of_totals_at_once_the_largest_stays(at_once: AtOnce) -> None:
    place, hour = make_place("yard"), timezone.now().replace(minute=0, second=0, microsecond=0)

    def post(number: int) -> int:
        totals = [Total("cam-1", hour, "m", "1", name, (number + 1) * 10, (number,)) for name in "abc"]
        return store_counts(source=place.source, totals=totals, now=timezone.now())

    at_once(6, post)
    assert list(SeenCount.objects.values_list("frames", "objects_seen")) == [(60, 5)] * 3
