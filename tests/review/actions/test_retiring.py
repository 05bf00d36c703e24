"""Queues and sites are retired only when nobody works there any more, and nothing comes in afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference.actions.sites import create_camera, create_source, register_model_version
from inference.models import Site, SourceTally
from inference.tallies import tallies
from inference.tokens import forget_tokens
from review import closed
from review.actions.moves import escalate
from review.actions.policies import publish
from review.actions.retiring import restore_queue, restore_site, retire_queue, retire_site
from review.actions.setup import create_queue
from review.actions.verdicts import undo
from review.models import Item, Queue
from review.tasks.mapping import sweep_parked
from review.triggers import after_migrate, before_migrate
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, claim, give_answer, make_item, make_person, post

PASS = [{"name": "everything passes", "queue": None}]


def retire(queue: Queue, person: User, **more: Any) -> None:
    retire_queue(queue=queue, reason="not used", person=person, now=more.get("now", timezone.now()))


def close(site: Site, person: User, reason: str = "given up", **more: Any) -> None:
    retire_site(site=site, reason=reason, person=person, now=more.get("now", timezone.now()))


def pass_all(place: Place, person: User) -> None:
    publish(site=place.site, rules=PASS, person=person, reason="test", now=timezone.now())


@pytest.fixture
def spare(place: Place) -> Queue:
    """A queue of the place to which no rule sends."""
    return create_queue(
        site=place.site, slug="spare", name="Spare", taxonomy=place.taxonomy, maker=None, now=timezone.now()
    )


def test_a_queue_that_the_live_policy_fills_is_not_retired(place: Place, supervisor: User) -> None:
    with pytest.raises(Conflict) as refused:
        retire(place.queue, supervisor)
    assert refused.value.code == "queue_in_use"
    pass_all(place, supervisor)
    retire(place.queue, supervisor)
    with pytest.raises(Conflict) as refused:
        retire(place.queue, supervisor)
    assert refused.value.code == "queue_retired"
    restore_queue(queue=place.queue, person=supervisor)
    with pytest.raises(Conflict) as refused:
        restore_queue(queue=place.queue, person=supervisor)
    assert refused.value.code == "queue_not_retired"
    assert set(AuditEntry.objects.filter(verb__startswith="queue.re").values_list("verb", flat=True)) == {
        "queue.retired",
        "queue.restored",
    }


def test_open_work_keeps_a_queue_and_its_site(place: Place, supervisor: User, operator: User) -> None:
    make_item(place)
    pass_all(place, supervisor)
    for attempt in (lambda: retire(place.queue, supervisor), lambda: close(place.site, supervisor)):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "work_open"
    given = give_answer(claim(place, operator)).verdict
    # The answer can still be taken back.
    with pytest.raises(Conflict) as refused:
        retire(place.queue, supervisor)
    assert refused.value.code == "work_open"
    give_answer(undo(verdict=given, now=timezone.now()))
    retire(place.queue, supervisor, now=timezone.now() + timedelta(minutes=1))


def test_no_rule_sends_to_a_retired_queue(place: Place, supervisor: User, spare: Queue) -> None:
    retire(spare, supervisor)
    with pytest.raises(Invalid) as refused:
        publish(
            site=place.site,
            rules=[*PASS, {"name": "spare", "queue": spare}],
            person=supervisor,
            reason="x",
            now=timezone.now(),
        )
    assert refused.value.code == "queue_retired"
    assert [fault["path"] for fault in refused.value.members["errors"]] == ["$.rules[1].queue"]
    assert place.site.policies.count() == 1


def test_nothing_is_escalated_to_a_retired_queue(place: Place, supervisor: User, operator: User, spare: Queue) -> None:
    make_item(place)
    taken = claim(place, operator)
    retire(spare, supervisor)
    with pytest.raises(Conflict) as refused:
        escalate(claim=taken, to=spare, note="look", now=timezone.now())
    assert refused.value.code == "queue_retired"
    assert Item.objects.get().queue == place.queue


def test_the_database_keeps_open_items_out(place: Place, supervisor: User, spare: Queue) -> None:
    item = make_item(place)
    retire(spare, supervisor)
    with pytest.raises(IntegrityError, match="what is retired"), transaction.atomic():
        Item.objects.update(queue=spare)
    Site.objects.filter(pk=place.site.pk).update(retired_at=timezone.now(), retired_because="x")
    with pytest.raises(IntegrityError, match="what is retired"), transaction.atomic():
        make_item(place)
    Item.objects.filter(pk=item.pk).update(
        state="decided", outcome="confirmed", decided_at=timezone.now(), verdict_id=item.pk
    )
    with pytest.raises(IntegrityError, match="what is retired"), transaction.atomic():
        Item.objects.filter(pk=item.pk).update(state="open", outcome="", decided_at=None, verdict_id=None)


def test_the_triggers_stand_aside_for_migrations_and_come_back(place: Place) -> None:
    before_migrate(using=connection.alias, plan=[])
    assert all(trigger.is_present(connection) for trigger in closed.TRIGGERS)
    before_migrate(using=connection.alias, plan=["something"])
    assert not any(trigger.is_present(connection) for trigger in closed.TRIGGERS)
    after_migrate(using=connection.alias)
    assert all(trigger.is_present(connection) for trigger in closed.TRIGGERS)


@pytest.mark.django_db(transaction=True)
def test_events_while_a_queue_is_retired_are_kept_and_none_is_open_in_it(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    boss = make_person("boss", Role.SUPERVISOR, place.site)

    def act(number: int) -> None:
        if number % 4:
            post(place)
            return
        try:
            pass_all(place, boss)
            retire(place.queue, boss)
        except Conflict as refused:
            assert refused.code in {"work_open", "queue_retired", "stale_version"}  # noqa: PT017

    at_once(8, act)
    assert place.site.events.count() == 6
    if Queue.objects.get().retired_at is not None:
        assert not Item.objects.exists()


def test_a_retired_site_takes_nothing_in(place: Place, supervisor: User, client: Client) -> None:
    pending = factories.event_body(picture=factories.jpeg())
    bearer = {"Authorization": f"Bearer {place.token}"}
    pass_all(place, supervisor)
    sent = client.post("/api/v1/events", pending, content_type="application/json", headers=bearer)
    assert sent.status_code == 201
    close(place.site, supervisor)
    forget_tokens()
    for path, body in (
        ("events", factories.event_body()),
        ("events/batch", {"events": [factories.event_body()]}),
        ("counts", {"counts": []}),
    ):
        refused = client.post(f"/api/v1/{path}", body, content_type="application/json", headers=bearer)
        assert (refused.status_code, refused.json()["code"]) == (403, "site_retired"), path
    tallies.flush()
    assert SourceTally.objects.get(reason="site_retired").count == 3
    # What was announced before may still come, and who it is may be asked.
    digest = pending["evidence"][0]["sha256"]
    stored = client.put(f"/api/v1/evidence/{digest}", factories.jpeg(), content_type="image/jpeg", headers=bearer)
    assert stored.status_code == 201
    assert client.get("/api/v1/source", headers=bearer).status_code == 200
    restore_site(site=place.site, person=supervisor)
    forget_tokens()
    again = client.post("/api/v1/events", factories.event_body(), content_type="application/json", headers=bearer)
    assert again.status_code == 201


def test_nothing_is_made_at_a_retired_site(place: Place, supervisor: User) -> None:
    pass_all(place, supervisor)
    close(place.site, supervisor)
    site, now = place.site, timezone.now()
    for make in (
        lambda: create_camera(site=site, slug="two", name="Two", maker=None),
        lambda: create_source(site=site, name="two", maker=None),
        lambda: register_model_version(site=site, name="two", version="1", maker=None),
        lambda: create_queue(site=site, slug="two", name="Two", taxonomy=place.taxonomy, maker=None, now=now),
        lambda: pass_all(place, supervisor),
        lambda: close(site, supervisor),
    ):
        with pytest.raises(Conflict) as refused:
            make()
        assert refused.value.code == "site_retired"


def test_what_waits_in_the_inbox_of_a_retired_site_goes_on_waiting(place: Place, supervisor: User) -> None:
    post(place, predictions=[{"id": "p1", "class": "unicorn", "confidence": 0.5, "box": [1, 1, 5, 5]}])
    place.taxonomy.classes.create(index=99, name="unicorn")
    pass_all(place, supervisor)
    close(place.site, supervisor)
    assert sweep_parked(now=timezone.now()) == 0
    restore_site(site=place.site, person=supervisor)
    assert sweep_parked(now=timezone.now()) == 1


def test_a_retired_queue_is_offered_nowhere_and_stays_readable(place: Place, supervisor: User, spare: Queue) -> None:
    client = Client()
    factories.sign_in(client, supervisor)
    page = f"/policy/queues/{spare.pk}/"
    assert client.post(f"{page}retire/", {"reason": ""}).status_code == 422
    busy = client.post(f"/policy/queues/{place.queue.pk}/retire/", {"reason": "old"})
    assert (busy.status_code, busy.context["said"]) == (422, "old")
    assert client.post(f"{page}retire/", {"reason": "old line"}).status_code == 302
    listed = client.get("/policy/queues/").context
    assert ([*listed["rows"]], [*listed["retired"]]) == ([place.queue], [spare])
    assert [row["queue"] for row in client.get("/queues/").context["rows"]] == [place.queue]
    assert "old line" in client.get(page).content.decode()
    trainer = Client()
    factories.sign_in(trainer, make_person("trainer", Role.ML_ENGINEER, place.site))
    assert spare in trainer.get("/releases/").context["form"].fields["queues"].queryset
    assert client.post(f"{page}restore/").status_code == 302
    assert spare in client.get("/policy/queues/").context["rows"]


def test_its_administrator_retires_a_site(place: Place, supervisor: User) -> None:
    pass_all(place, supervisor)
    client = Client()
    factories.sign_in(client, make_person("boss", Role.ADMINISTRATOR, place.site))
    page = f"/sites/{place.site.pk}/"
    assert client.post(f"{page}retire/", {"reason": ""}).status_code == 422
    assert client.post(f"{page}retire/", {"reason": "sold"}).status_code == 302
    assert "sold" in client.get(page).content.decode()
    listed = client.get("/sites/").context
    assert ([*listed["rows"]], [*listed["retired"]]) == ([], [place.site])
    assert client.post(f"{page}restore/").status_code == 302
    assert client.post(f"{page}restore/").status_code == 422
