"""Guides: versions, examples, and who sees their pictures."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions.circumstances import in_force
from review.actions.guides import add_example, crop_of, remove_example, write_guide
from review.actions.setup import create_queue
from review.models import Event, Evidence, GuideExample, GuideVersion
from review.prose import blocks
from review.tasks.renditions import make_renditions
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, jpeg, make_person, post

XSS = "<img src=x onerror=alert(1)>"


@pytest.fixture
def event(place: Place) -> Event:
    return post(place, picture=jpeg()).event


def example(place: Place, event: Event, person: User, **changes: Any) -> GuideExample:
    said: dict[str, Any] = {
        "class_id": place.taxonomy.classes.get(name="bird").pk,
        "box_of": "p1",
        "good": True,
        "caption": XSS,
    }
    return add_example(queue=place.queue, event=event, person=person, now=timezone.now(), **said | changes)


def write(place: Place, person: User, text: str, looked_at: int) -> int:
    return write_guide(queue=place.queue, text=text, looked_at=looked_at, person=person, now=timezone.now())


def test_text_becomes_paragraphs_and_lists() -> None:
    found = blocks("Look.\nTwice.\n\n- beak\n* wings\nAlways.")
    assert [(one.is_list, one.lines) for one in found] == [
        (False, ["Look.", "Twice."]),
        (True, ["beak", "wings"]),
        (False, ["Always."]),
    ]


def test_each_change_is_a_version_that_verdicts_record(place: Place, supervisor: User, event: Event) -> None:
    assert write(place, supervisor, "One.", 0) == 1
    made = example(place, event, supervisor)
    remove_example(example=made, person=supervisor, now=timezone.now())
    made.refresh_from_db()
    assert (made.added_in, made.removed_in) == (2, 3)
    assert list(GuideVersion.objects.values_list("version", "text")) == [(3, "One."), (2, "One."), (1, "One.")]
    item = factories.make_item(place)
    item.queue.refresh_from_db()
    assert in_force(item)["guide_version"] == 3
    verbs = AuditEntry.objects.filter(verb__regex="^(guide|example)").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["guide.written", "example.added", "example.removed"]
    with pytest.raises(Conflict):
        remove_example(example=made, person=supervisor, now=timezone.now())


def test_who_looked_at_an_older_guide_overwrites_nothing(place: Place, supervisor: User) -> None:
    write(place, supervisor, "One.", 0)
    with pytest.raises(Conflict) as refused:
        write(place, supervisor, "Two.", 0)
    assert refused.value.code == "guide_changed"
    place.queue.refresh_from_db()
    assert (place.queue.guide, place.queue.guide_version) == ("One.", 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_at_once_one_counts(place: Place, supervisor: User, at_once: AtOnce) -> None:
    def go(number: int) -> bool:
        try:
            write(place, supervisor, f"text {number}", 0)
        except Conflict:
            return False
        return True

    assert sorted(at_once(3, go)) == [False, False, True]
    assert GuideVersion.objects.count() == 1


def test_an_example_shows_the_surroundings_of_a_prediction(event: Event) -> None:
    assert crop_of(event, "p1") == [0.0, 7.5, 60.0, 75.0]
    assert crop_of(event, "") == [0.0, 0.0, 320.0, 240.0]
    with pytest.raises(Invalid):
        crop_of(event, "p9")


def test_what_is_no_example_is_refused(place: Place, elsewhere: Place, supervisor: User, event: Event) -> None:
    theirs = post(elsewhere, picture=jpeg()).event
    other_class = elsewhere.taxonomy.classes.get(name="bird").pk
    for wrong in ({"event": theirs}, {"event": post(place).event}, {"class_id": other_class}, {"caption": "a\0"}):
        with pytest.raises(Invalid):
            example(place, **{"event": event, "person": supervisor, **wrong})
    assert not GuideExample.objects.exists()
    place.queue.refresh_from_db()
    assert place.queue.guide_version == 0


def test_a_picture_is_kept_while_it_is_in_a_guide(place: Place, supervisor: User, event: Event) -> None:
    made = example(place, event, supervisor)
    assert list(Evidence.objects.used_as_example()) == [made.evidence]
    remove_example(example=made, person=supervisor, now=timezone.now())
    assert not Evidence.objects.used_as_example().exists()


def test_readers_of_the_guide_see_its_picture_though_the_event_came_into_another_queue(
    client: Client, place: Place, supervisor: User, event: Event, elsewhere: Place
) -> None:
    other = create_queue(
        site=place.site, slug="other", name="Other", taxonomy=place.taxonomy, maker=None, now=timezone.now()
    )
    reader, stranger = make_person("reader"), make_person("stranger", Role.OPERATOR, elsewhere.site)
    factories.give_role(reader, Role.OPERATOR, queue=other)
    evidence = event.evidence_rows.get().evidence
    assert evidence is not None
    make_renditions.call(str(evidence.pk))
    url = f"/media/{evidence.pk}/working/"
    client.force_login(reader)
    assert client.get(url).status_code == 404
    made = add_example(
        queue=other,
        event=event,
        class_id=place.taxonomy.classes.get(name="bird").pk,
        box_of="",
        good=False,
        caption="",
        person=supervisor,
        now=timezone.now(),
    )
    assert client.get(url).status_code == 200
    assert client.get(f"/media/{evidence.pk}/original/").status_code == 403
    assert client.get(f"/events/{event.pk}/").status_code == 404
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    client.force_login(reader)
    remove_example(example=made, person=supervisor, now=timezone.now())
    assert client.get(url).status_code == 404


def test_the_pages_show_text_as_text(client: Client, place: Place, supervisor: User, event: Event) -> None:
    evidence = event.evidence_rows.get().evidence
    assert evidence is not None
    make_renditions.call(str(evidence.pk))
    client.force_login(supervisor)
    url = f"/queues/{place.queue.pk}/guide/"
    assert client.post(url, {"text": f"- {XSS}\n\nLook.", "looked_at": 0}).status_code == 302
    assert client.post(url, {"text": "late", "looked_at": 0}).status_code == 422
    assert "Use as an example" in client.get(f"/events/{event.pk}/").content.decode()
    bird = place.taxonomy.classes.get(name="bird").pk
    said = {"queue": str(place.queue.pk), "shows": bird, "prediction": "p1", "kind": "counter", "caption": XSS}
    assert client.post(f"/events/{event.pk}/example/", said).status_code == 302
    for address in (url, f"{url}?part=1"):
        page = client.get(address).content.decode()
        assert XSS not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert 'viewBox="0 7.5 60 75"' in page
        assert f"/media/{evidence.pk}/working/" in page
    seen = AuditEntry.objects.filter(verb="guide.seen").last()
    assert seen is not None
    assert (seen.actor, seen.additional_data["events"]) == (supervisor, [str(event.pk)])
