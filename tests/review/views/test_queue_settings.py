"""Queues made and changed in the browser."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference.actions.sites import create_site
from review import known
from review.actions.queue_changes import state_of
from review.models import Item, Move, Policy, Queue
from tests.factories import Place, make_item, make_person, post, sign_in


@pytest.fixture
def client(supervisor: User) -> Client:
    client = Client()
    sign_in(client, supervisor)
    return client


def form(queue: Queue, **changes: str) -> dict[str, str]:
    said = {
        "name": "Unsure",
        "guide": "Look twice.",
        "due_minutes": "90",
        "undo_seconds": "5",
        "before": state_of(queue),
    }
    return said | changes


def test_a_queue_is_changed_and_the_next_event_obeys(client: Client, place: Place) -> None:
    page = f"/policy/queues/{place.queue.pk}/"
    make_item(place)
    assert client.post(page, form(place.queue)).status_code == 302
    place.queue.refresh_from_db()
    assert (place.queue.due_in, place.queue.undo_window) == (timedelta(minutes=90), timedelta(seconds=5))
    assert (place.queue.asks_complete, place.queue.answers_held) == (False, False)
    known.forget()
    item = make_item(place)
    assert item.due_at - item.created_at == timedelta(minutes=90)
    assert Item.objects.count() == 2
    entry = AuditEntry.objects.get(verb="queue.changed").additional_data
    assert "1:30:00" in entry["after"]
    assert client.post(page, form(place.queue, before="older")).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"due_minutes": "0"}, {"due_minutes": "x"}, {"due_minutes": "9999999"}, {"undo_seconds": "301"}],
)
def test_what_cannot_be_is_said(client: Client, place: Place, wrong: dict[str, str]) -> None:
    answer = client.post(f"/policy/queues/{place.queue.pk}/", form(place.queue) | wrong)
    assert answer.status_code == 422
    assert not AuditEntry.objects.filter(verb="queue.changed").exists()


def test_the_first_queue_of_a_site_makes_events_land(place: Place, now: Any) -> None:
    site = create_site(slug="mill", name="Mill", maker=None, now=now)
    boss = make_person("mia", Role.SUPERVISOR, site)
    client = Client()
    sign_in(client, boss)
    made = client.post(
        "/policy/queues/", {"site": str(site.pk), "name": "Doubtful", "classes": "person\n\n bird \nbird"}
    )
    queue = Queue.objects.get(site=site)
    assert made["Location"] == f"/policy/queues/{queue.pk}/"
    assert list(queue.taxonomy.classes.values_list("index", "name")) == [(0, "person"), (1, "bird")]
    assert Policy.objects.get(site=site).rules.count() == 5
    second = {"site": str(site.pk), "name": "Second", "taxonomy": str(queue.taxonomy_id)}
    assert client.post("/policy/queues/", second).status_code == 302
    assert Policy.objects.filter(site=site).count() == 1
    for wrong in ({"taxonomy": str(place.taxonomy.pk)}, {"taxonomy": "x"}, {"taxonomy": "", "classes": " \n"}, {}):
        assert client.post("/policy/queues/", second | wrong).status_code == 422


def test_another_sites_queue_does_not_exist(client: Client, elsewhere: Place) -> None:
    page = f"/policy/queues/{elsewhere.queue.pk}/"
    assert client.get(page).status_code == client.post(page, form(elsewhere.queue)).status_code == 404
    assert (
        client.post("/policy/queues/", {"site": str(elsewhere.site.pk), "name": "x", "classes": "a"}).status_code == 404
    )
    assert "dock" not in client.get("/policy/queues/").content.decode().lower()
    assert post(elsewhere).created


def test_what_needs_a_reason_is_set_and_kept(client: Client, place: Place) -> None:
    page = f"/policy/queues/{place.queue.pk}/"
    said: dict[str, Any] = form(place.queue) | {"needs_reason": ["unsure", "skip"]}
    assert client.post(page, said).status_code == 302
    place.queue.refresh_from_db()
    assert place.queue.needs_reason == ["unsure", "skip"]
    assert "why for unsure, skip" in AuditEntry.objects.get(verb="queue.changed").additional_data["after"]
    shown = client.get(page).content.decode()
    assert shown.count('name="needs_reason"') == len(Move)
    assert shown.count(" checked>") == 2
    wrong: dict[str, Any] = form(place.queue) | {"needs_reason": ["confirm"]}
    assert client.post(page, wrong).status_code == 422
    assert client.get(f"/queues/{place.queue.pk}/desk/").context["desk"]["needs_reason"] == ["unsure", "skip"]
