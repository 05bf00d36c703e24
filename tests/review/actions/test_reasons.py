"""Queues that want to know why: no answer, passing over or escalation without a reason, through any door."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.exceptions import Invalid
from accounts.models import AuditEntry, User
from review.actions import moves
from review.models import Item, Move, Skip, Verdict
from tests import factories
from tests.factories import Place, answer_body, bearer, claim, give_answer, make_item, make_token, sign_in

BOX = [{"class": "person", "box": [1, 1, 40, 50]}]


@pytest.fixture
def asking(place: Place) -> Place:
    place.queue.needs_reason = [Move.UNSURE, Move.CORRECT, Move.SKIP, Move.ESCALATE]
    place.queue.save(update_fields=["needs_reason"])
    return place


@pytest.mark.parametrize(("answer", "more"), [("unsure", {}), ("correct", {"labels": BOX})])
def test_an_answer_counts_only_with_its_reason(asking: Place, operator: User, answer: str, more: Any) -> None:
    make_item(asking)
    mine = claim(asking, operator)
    for note in (None, "", "  \n"):
        with pytest.raises(Invalid) as refused:
            give_answer(mine, answer, **more, note=note)
        assert (refused.value.code, refused.value.members["errors"][0]["path"]) == ("reason_required", "$.note")
    assert Item.objects.open().exists()
    given = give_answer(mine, answer, **more, note="too dark to say").verdict
    assert given.note == "too dark to say"


@pytest.mark.parametrize("answer", ["confirm", "empty", "bad_image"])
def test_other_answers_need_none(asking: Place, operator: User, answer: str) -> None:
    make_item(asking)
    assert give_answer(claim(asking, operator), answer).created


def test_other_queues_ask_nothing(place: Place, operator: User) -> None:
    make_item(place)
    assert give_answer(claim(place, operator), "unsure").created


def test_the_api_asks_as_well(asking: Place, operator: User) -> None:
    make_item(asking)
    mine = claim(asking, operator)
    address, token = f"/api/v1/items/{mine.item_id}/verdicts", bearer(make_token(operator))
    body = answer_body(mine, "unsure")
    refused = Client().post(address, body, content_type="application/json", **token)
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_required")
    assert Client().post(address, body | {"note": "dust"}, content_type="application/json", **token).status_code == 201


def test_putting_away_says_why(asking: Place, operator: User, now: datetime) -> None:
    make_item(asking)
    mine, client = claim(asking, operator, now), Client()
    sign_in(client, operator)
    token = {"claim_token": str(mine.token)}
    for act in ("skip", "escalate"):
        address = f"/claims/{mine.pk}/{act}/"
        refused = client.post(address, token, content_type="application/json", headers={"X-Requested-With": "fetch"})
        assert (refused.status_code, refused.json()["code"]) == (422, "reason_required")
        control = client.post(address, token | {"note": "a\x07"}, content_type="application/json")
        assert control.status_code == 422
    assert not Skip.objects.exists()
    said = token | {"note": "after the break"}
    assert client.post(f"/claims/{mine.pk}/skip/", said, content_type="application/json").status_code == 204
    assert AuditEntry.objects.get(verb="item.skipped").additional_data["note"] == "after the break"


def test_a_reason_is_part_of_the_events_story(asking: Place, operator: User, supervisor: User) -> None:
    item = make_item(asking)
    give_answer(claim(asking, operator), "unsure", note="glare on the lens")
    client = Client()
    sign_in(client, supervisor)
    assert "glare on the lens" in client.get(f"/events/{item.event_id}/").content.decode()


def test_what_was_put_away_tells_its_reason_in_both_stories(
    asking: Place, operator: User, supervisor: User, now: datetime
) -> None:
    item = make_item(asking)
    moves.skip(claim=claim(asking, operator, now), until=now, note="after the <break>", now=now)
    later = now + timedelta(minutes=1)
    moves.escalate(claim=claim(asking, operator, later), to=None, note="is this ours?", now=later)
    client = Client()
    sign_in(client, supervisor)
    page = client.get(f"/events/{item.event_id}/").content.decode()
    for said in (f"{operator}: skipped", "after the &lt;break&gt;", f"{operator}: escalated to", "is this ours?"):
        assert said in page, said
    trail = client.get(f"/audit/story/{item.event_id}/").content.decode()
    assert "after the &lt;break&gt;" in trail
    assert "is this ours?" in trail


def test_a_desk_hears_while_it_works_what_its_queue_wants_to_know_by_now(place: Place, operator: User) -> None:
    make_item(place)
    mine, client = claim(place, operator), Client()
    sign_in(client, operator)
    body = {"claim_token": str(mine.token)}
    for act, wanted in (("open", []), ("heartbeat", [Move.CORRECT])):
        place.queue.needs_reason = wanted
        place.queue.save(update_fields=["needs_reason"])
        said = client.post(f"/claims/{mine.pk}/{act}/", body, content_type="application/json").json()
        assert said["needs_reason"] == wanted


def test_a_repeat_is_the_same_answer_although_the_queue_asks_by_now(
    place: Place, operator: User, now: datetime
) -> None:
    make_item(place)
    mine = claim(place, operator, now)
    body = answer_body(mine, "unsure")
    first = give_answer(mine, "unsure", key=body["key"])
    place.queue.needs_reason = [Move.UNSURE]
    place.queue.save(update_fields=["needs_reason"])
    again = give_answer(mine, "unsure", key=body["key"], now=now + timedelta(seconds=1))
    assert (again.created, again.verdict) == (False, first.verdict)
    assert Verdict.objects.count() == 1


def test_escalating_by_the_way_needs_its_note(asking: Place, operator: User, now: datetime) -> None:
    make_item(asking)
    mine = factories.claim(asking, operator, now)
    with pytest.raises(Invalid):
        moves.escalate(claim=mine, to=None, note=" ", now=now)
    moves.escalate(claim=mine, to=None, note="what is this?", now=now)
    assert Item.objects.get().reason["escalated"]["note"] == "what is this?"
