"""Rates and quotas, tallies of how calls ended, and the figures for Prometheus."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from inference.models import Source, SourceTally
from inference.tallies import BEFORE, fold_tallies, tallies
from inference.tokens import forget_tokens
from review.models import Event, Evidence
from tests.conftest import AtOnce
from tests.factories import Place, bearer, event_body, jpeg, make_place, post, sha256, sign_in


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()


def send(place: Place, body: Any = None) -> Any:
    return Client().post("/api/v1/events", body or event_body(), content_type="application/json", **bearer(place.token))


def bound(place: Place, **fields: Any) -> None:
    Source.objects.filter(pk=place.source.pk).update(**fields)
    forget_tokens()


def test_a_source_with_a_rate_of_its_own_is_asked_to_come_later(place: Place, monkeypatch: Any) -> None:
    monkeypatch.setattr("review.pressure.WINDOW_S", 1000)
    bound(place, events_per_second=1)
    place.source.refresh_from_db()
    cache.set(f"rate:{place.source.pk}:{int(time.time() // 1000)}", 999)
    assert send(place).status_code == 201
    late = send(place)
    assert (late.status_code, late.json()["code"]) == (429, "source_rate")
    assert int(late["Retry-After"]) >= 1
    assert Event.objects.count() == 1


def test_in_a_batch_what_is_too_much_comes_again_and_its_neighbours_are_taken(place: Place, monkeypatch: Any) -> None:
    monkeypatch.setattr("review.pressure.WINDOW_S", 1000)
    bound(place, events_per_second=1)
    cache.set(f"rate:{place.source.pk}:{int(time.time() // 1000)}", 998)
    body = {"events": [event_body() for _number in range(4)]}
    answer = Client().post("/api/v1/events/batch", body, content_type="application/json", **bearer(place.token))
    told = [(row["status"], row.get("code")) for row in answer.json()["results"]]
    assert told == [("created", None)] * 2 + [("retry", "source_rate")] * 2


def test_without_the_shared_cache_each_process_counts_for_itself(place: Place, monkeypatch: Any) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            raise RedisError

    bound(place, events_per_second=100)
    monkeypatch.setattr("accounts.throttle.cache", Away())
    assert send(place).status_code == 201


def test_a_full_site_asks_pictures_to_come_later_and_takes_events_without(place: Place) -> None:
    post(place, picture=jpeg())
    place.site.evidence_quota_bytes = Evidence.objects.get().size + 10
    place.site.save(update_fields=["evidence_quota_bytes"])
    forget_tokens()
    assert send(place).status_code == 201
    other = jpeg((1, 2, 3))
    assert send(place, event_body(picture=other)).status_code == 201
    full = Client().put(f"/api/v1/evidence/{sha256(other)}", other, content_type="image/jpeg", **bearer(place.token))
    assert (full.status_code, full.json()["code"], full["Retry-After"]) == (503, "quota_full", "60")
    assert Evidence.objects.count() == 1


def test_how_calls_end_is_counted_by_hour_and_reason(place: Place, supervisor: User) -> None:
    body = event_body()
    for one in (body, body, {"event_id": "x"}, event_body()):
        send(place, one)
    send(place, body | {"flags": ["other"]})
    assert not SourceTally.objects.exists()
    assert tallies.flush() == 4
    rows = {(row.outcome, row.reason): row.count for row in SourceTally.objects.all()}
    assert rows == {
        ("created", ""): 2,
        ("duplicate", ""): 1,
        ("rejected", "schema"): 1,
        ("rejected", "event_conflict"): 1,
    }
    send(place)
    assert tallies.flush() == 1
    assert SourceTally.objects.get(outcome="created").count == 3
    client = Client()
    sign_in(client, supervisor)
    assert "event_conflict" in client.get(f"/sources/{place.source.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_hours_long_past_become_one_row_and_totals_never_go_down(at_once: AtOnce) -> None:
    place, now = make_place("yard"), timezone.now().replace(minute=0, second=0, microsecond=0)

    def told() -> dict[tuple[str, str], int]:
        rows = SourceTally.objects.order_by().values_list("outcome", "reason").annotate(total=Sum("count"))
        return {(outcome, reason): total for outcome, reason, total in rows}

    for age_h in (0, 5, 24 * 9, 24 * 30, 24 * 500):
        for outcome, reason in (("created", ""), ("rejected", "schema")):
            SourceTally.objects.create(
                source=place.source, hour=now - timedelta(hours=age_h), outcome=outcome, reason=reason, count=age_h + 1
            )
    before = told()
    at_once(3, lambda _number: fold_tallies(now=now))
    assert told() == before
    assert SourceTally.objects.filter(hour=BEFORE).count() == 2
    assert SourceTally.objects.count() == 6
    later = now + timedelta(days=9)
    assert (fold_tallies(now=later), fold_tallies(now=later)) == (4, 0)
    assert told() == before


def test_what_cannot_be_written_waits(place: Place, monkeypatch: Any) -> None:
    from django.db import DatabaseError

    def away(*_arguments: Any) -> None:
        raise DatabaseError

    send(place)
    with monkeypatch.context() as broken:
        broken.setattr("inference.tallies.add", away)
        assert tallies.flush() == 0
    assert tallies.flush() == 1


def test_figures_are_for_this_machine_or_for_who_has_the_token(place: Place, settings: Any) -> None:
    post(place, picture=jpeg())
    send(place)
    tallies.flush()
    text = Client().get("/metrics").content.decode()
    assert 'secondlook_source_calls_total{outcome="created",reason="",site="yard"} 1.0' in text
    assert 'secondlook_open_items{queue="unsure",site="yard"} 2.0' in text
    assert "secondlook_evidence_files 1.0" in text
    for stranger in (Client(REMOTE_ADDR="10.0.0.9"), Client(headers={"X-Forwarded-For": "10.0.0.9"})):
        assert stranger.get("/metrics").status_code == 404
    settings.SECONDLOOK = settings.SECONDLOOK | {"METRICS_TOKEN": "a-token-of-metrics"}
    assert Client().get("/metrics").status_code == 404
    assert Client(headers={"Authorization": "Bearer a-token-of-metrics"}).get("/metrics").status_code == 200
