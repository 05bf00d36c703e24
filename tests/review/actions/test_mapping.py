"""What sources name that a site does not know: made with one click, and never stuck."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid, SecondLookError
from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference.actions.retiring import retire_camera
from inference.actions.sites import create_camera, create_source, register_model_version
from inference.models import Camera, ModelVersion
from review import names
from review.actions.mapping import bring_back, create_missing, map_name, unmap_name
from review.actions.policies import publish
from review.actions.taxonomies import append_class
from review.desk import event_payload, neighbours
from review.models import Item, NameMap, Parking, ParkingCause, Routing, TaxonomyClass
from review.tasks.mapping import replay_parked, sweep_parked
from tests import factories
from tests.conftest import AtOnce
from tests.factories import CLASSES, Place, make_person, post

UNICORN = [{"id": "p1", "class": "unicorn", "confidence": 0.5, "box": [1, 1, 5, 5]}]


def create(place: Place, person: User, cause: ParkingCause, value: str) -> int:
    return create_missing(site=place.site, cause=cause, value=value, person=person, now=timezone.now())


def test_a_new_class_goes_to_the_end_of_every_taxonomy(place: Place, supervisor: User) -> None:
    post(place, predictions=UNICORN)
    assert create(place, supervisor, ParkingCause.CLASS, "unicorn") == 1
    assert list(place.taxonomy.classes.values_list("index", "name")) == list(enumerate([*CLASSES, "unicorn"]))
    assert not post(place, predictions=UNICORN).event.parkings.exists()


def test_what_nothing_waits_for_is_refused(place: Place, supervisor: User) -> None:
    with pytest.raises(Invalid) as refused:
        create(place, supervisor, ParkingCause.CLASS, "unicorn")
    assert refused.value.code == "nothing_parked"
    assert not TaxonomyClass.objects.filter(name="unicorn").exists()


@pytest.mark.parametrize("cause", list(ParkingCause))
def test_what_was_made_by_other_ways_meanwhile_frees_the_events_all_the_same(
    place: Place, supervisor: User, cause: ParkingCause
) -> None:
    _source, token = create_source(site=place.site, name="roaming", maker=None)
    place.source = _source
    if cause == ParkingCause.CLASS:
        post(place, predictions=UNICORN)
        append_class(taxonomy=place.taxonomy, name="unicorn", person=None)
        value = "unicorn"
    elif cause == ParkingCause.CAMERA:
        post(place, camera="cam-9")
        create_camera(site=place.site, slug="cam-9", name="Nine", maker=None)
        value = "cam-9"
    else:
        post(place, model={"name": "new", "version": "1"})
        register_model_version(site=place.site, name="new", version="1", maker=None)
        value = "new 1"
    assert create(place, supervisor, cause, value) == 1
    assert not Parking.objects.filter(resolved_at=None).exists()


def test_two_names_never_become_one_camera(place: Place, supervisor: User) -> None:
    place.source, _token = create_source(site=place.site, name="roaming", maker=None)
    for name in ("Gate 1", "gate-1", "GATE 1", "gate 1!"):
        post(place, camera=name)
        create(place, supervisor, ParkingCause.CAMERA, name)
    assert Camera.objects.filter(site=place.site).count() == 1 + 4


def test_one_site_never_frees_the_events_of_another(place: Place, elsewhere: Place, supervisor: User) -> None:
    post(place, predictions=UNICORN), post(elsewhere, predictions=UNICORN)
    assert create(place, supervisor, ParkingCause.CLASS, "unicorn") == 1
    assert Parking.objects.filter(resolved_at=None).get().site == elsewhere.site
    assert not TaxonomyClass.objects.filter(taxonomy=elsewhere.taxonomy, name="unicorn").exists()


def test_it_leaves_an_entry(place: Place, supervisor: User) -> None:
    post(place, predictions=UNICORN)
    create(place, supervisor, ParkingCause.CLASS, "unicorn")
    entry = AuditEntry.objects.get(verb="mapping.resolved")
    assert (entry.actor, entry.additional_data) == (supervisor, {"cause": "class", "value": "unicorn", "events": 1})


@pytest.mark.django_db(transaction=True)
def test_two_who_click_at_once_make_one_class_and_one_item(at_once: AtOnce) -> None:
    place, person = factories.make_place("yard"), make_person("sam")
    from review.actions.policies import publish

    publish(site=place.site, rules=[{"name": "all", "queue": place.queue}], person=None, reason="x", now=timezone.now())
    post(place, predictions=UNICORN)

    def go(_number: int) -> int:
        try:
            return create(place, person, ParkingCause.CLASS, "unicorn")
        except SecondLookError:
            return 0

    assert sum(at_once(4, go)) == 1
    assert Item.objects.count() == 1
    assert TaxonomyClass.objects.filter(name="unicorn").count() == 1


# The page


def page(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_the_inbox_lists_and_creates(place: Place, supervisor: User, now: datetime) -> None:
    post(place, predictions=UNICORN), post(place, predictions=UNICORN)
    assert "unicorn" in page(supervisor).get("/inbox/").content.decode()
    form = {"site": str(place.site.pk), "kind": "class", "value": "unicorn"}
    assert page(supervisor).post("/inbox/", form).status_code == 302
    assert not Parking.objects.filter(resolved_at=None).exists()
    assert "unicorn" not in page(supervisor).get("/inbox/", follow=True).content.decode()


def test_a_fleet_engineer_makes_cameras_and_no_classes(place: Place) -> None:
    fleet = make_person("flo", Role.FLEET_ENGINEER, place.site)
    post(place, predictions=UNICORN)
    form = {"site": str(place.site.pk), "kind": "class", "value": "unicorn"}
    shown = page(fleet).get("/inbox/").content.decode()
    assert ("Who manages the classes" in shown, "Create and route" in shown) == (True, False)
    assert page(fleet).post("/inbox/", form).status_code == 404
    assert Parking.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("change", [{"kind": "planet"}, {"kind": ""}, {"site": "x"}, {"site": ""}, {"value": "a\0b"}])
def test_a_form_that_cannot_be_changes_nothing(place: Place, supervisor: User, change: dict[str, str]) -> None:
    post(place, predictions=UNICORN)
    form = {"site": str(place.site.pk), "kind": "class", "value": "unicorn"} | change
    assert page(supervisor).post("/inbox/", form).status_code in {302, 404, 422}
    assert Parking.objects.filter(resolved_at=None).exists()


# Names that stand for something the site knows


def stands_for(place: Place, person: User, cause: ParkingCause, value: str, target: object) -> int:
    return map_name(site=place.site, cause=cause, value=value, target=target, person=person, now=timezone.now())


@pytest.fixture
def roaming(place: Place) -> Place:
    """The site with a source that speaks for any camera."""
    place.source, place.token = create_source(site=place.site, name="roaming", maker=None)
    return place


def test_a_mapped_camera_counts_for_rules_neighbours_and_later_events(roaming: Place, supervisor: User) -> None:
    policy_for_camera(roaming, "cam-1")
    first = post(roaming, camera="Line 3 (old name)").event
    assert not first.items.exists()
    assert stands_for(roaming, supervisor, ParkingCause.CAMERA, "Line 3 (old name)", roaming.camera) == 1
    item = first.items.get()
    assert first.camera_name == "Line 3 (old name)"
    assert names.camera_of(first) == "cam-1"
    later = post(roaming, camera="Line 3 (old name)")
    assert (later.event.camera, later.event.items.count()) == (roaming.camera, 1)
    around = neighbours(later.event, item.queue)
    assert {entry["event"] for entry in around} == {str(first.pk), str(later.event.pk)}


def policy_for_camera(place: Place, slug: str) -> None:
    rows = [{"name": "camera", "cameras": [slug], "queue": place.queue}, {"name": "rest", "queue": None}]
    publish(site=place.site, rules=rows, person=None, reason="test", now=timezone.now())


def test_a_mapped_class_is_what_people_answer_with(place: Place, supervisor: User, operator: User) -> None:
    pigeon = [{"id": "p1", "class": "pigeon", "confidence": 0.5, "box": [1, 1, 5, 5]}]
    event = post(place, predictions=pigeon).event
    stands_for(place, supervisor, ParkingCause.CLASS, "pigeon", "bird")
    assert event.items.get().reason["class"] == "bird"
    assert not post(place, predictions=pigeon).event.parkings.exists()
    claim = factories.claim(place, operator)
    shown = event_payload(claim.item.event)["predictions"][0]
    assert (shown["class"], shown["said"]) == ("bird", "pigeon")
    given = factories.give_answer(claim).verdict
    assert given.labels[0]["class"] == "bird"
    assert claim.item.event.predictions[0]["class"] == "pigeon"


def test_a_rule_may_name_the_models_own_word(place: Place, supervisor: User) -> None:
    rows = [{"name": "pigeons", "classes": ["pigeon"], "queue": place.queue}, {"name": "rest", "queue": None}]
    publish(site=place.site, rules=rows, person=None, reason="test", now=timezone.now())
    stands_for(place, supervisor, ParkingCause.CLASS, "pigeon", "bird")
    pigeon = [{"id": "p1", "class": "pigeon", "confidence": 0.5, "box": [1, 1, 5, 5]}]
    assert post(place, predictions=pigeon).event.items.exists()


def test_a_mapped_model_is_known_from_then_on(place: Place, supervisor: User) -> None:
    event = post(place, model={"name": "detector", "version": "1.0-rc"}).event
    stands_for(place, supervisor, ParkingCause.MODEL, "detector 1.0-rc", place.model)
    assert event.items.exists()
    assert event.names.model_version == place.model
    assert post(place, model={"name": "detector", "version": "1.0-rc"}).event.model_version == place.model


def test_another_file_under_a_known_version_does_not_pass_as_it(place: Place, supervisor: User) -> None:
    one, other = ({"name": "new", "version": "1", "sha256": letter * 64} for letter in "ab")
    events = [post(place, model=model).event for model in (one, other)]
    assert create(place, supervisor, ParkingCause.MODEL, "new 1") == 1
    assert [event.items.exists() for event in events] == [True, False]
    waiting = Parking.objects.get(resolved_at=None)
    assert (waiting.event, waiting.value) == (events[1], "new 1 @bbbbbbbbbbbb")
    assert create(place, supervisor, ParkingCause.MODEL, waiting.value) == 1
    assert ModelVersion.objects.get(version="1 @bbbbbbbbbbbb").sha256 == "b" * 64
    assert events[1].items.exists()


def test_it_waits_until_every_name_is_known(roaming: Place, supervisor: User) -> None:
    event = post(roaming, camera="cam-9", predictions=UNICORN).event
    assert stands_for(roaming, supervisor, ParkingCause.CAMERA, "cam-9", roaming.camera) == 0
    assert stands_for(roaming, supervisor, ParkingCause.CLASS, "unicorn", "bird") == 1
    assert event.items.count() == 1


def test_a_name_is_mapped_once_and_can_be_taken_back(place: Place, supervisor: User) -> None:
    stands_for(place, supervisor, ParkingCause.CLASS, "pigeon", "bird")
    with pytest.raises(Conflict) as refused:
        stands_for(place, supervisor, ParkingCause.CLASS, "pigeon", "person")
    assert refused.value.code == "mapped_already"
    row = NameMap.objects.get()
    with pytest.raises(Invalid):
        unmap_name(row=row, person=supervisor, reason=" ", now=timezone.now())
    unmap_name(row=row, person=supervisor, reason="it was a hawk", now=timezone.now())
    with pytest.raises(Conflict):
        unmap_name(row=row, person=supervisor, reason="again", now=timezone.now())
    names.forget()
    assert names.class_names(place.site.pk, "") == {}
    stands_for(place, supervisor, ParkingCause.CLASS, "pigeon", "person")
    assert set(AuditEntry.objects.filter(verb__startswith="name.").values_list("verb", flat=True)) == {
        "name.mapped",
        "name.unmapped",
    }


def test_what_another_site_knows_is_no_target(place: Place, elsewhere: Place, supervisor: User) -> None:
    for cause, target in (
        (ParkingCause.CAMERA, elsewhere.camera),
        (ParkingCause.MODEL, elsewhere.model),
        (ParkingCause.CLASS, "nothing of ours"),
        (ParkingCause.CAMERA, "bird"),
    ):
        with pytest.raises(Invalid) as refused:
            stands_for(place, supervisor, cause, "x", target)
        assert refused.value.code == "unknown_target"
    assert not NameMap.objects.exists()


def test_the_database_wants_one_target_that_fits(place: Place) -> None:
    rows = [
        {"cause": "class"},
        {"cause": "camera", "class_name": "bird"},
        {"cause": "camera", "camera": place.camera, "model_version": place.model},
    ]
    for fields in rows:
        with pytest.raises(IntegrityError), transaction.atomic():
            NameMap.objects.create(site=place.site, value="x", created_at=timezone.now(), **fields)


def test_many_events_follow_in_the_background_each_once(place: Place, supervisor: User, monkeypatch: Any) -> None:
    monkeypatch.setattr("review.actions.mapping.BATCH", 3)
    for _number in range(8):
        post(place, predictions=UNICORN)
    assert create(place, supervisor, ParkingCause.CLASS, "unicorn") == 3
    assert sweep_parked(now=timezone.now()) == 1
    for _twice in range(2):
        replay_parked.func(str(place.site.pk), "class", "unicorn")
    assert not Parking.objects.filter(resolved_at=None).exists()
    assert Routing.objects.count() == 8
    assert sweep_parked(now=timezone.now()) == 0


def test_names_that_are_on_their_way_are_found_among_any_number(
    place: Place, supervisor: User, monkeypatch: Any, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("review.actions.mapping.BATCH", 1)
    for number in range(60):
        post(place, predictions=[UNICORN[0] | {"class": f"beast {number}"}])
    for _twice in range(3):
        post(place, predictions=UNICORN)
    create(place, supervisor, ParkingCause.CLASS, "unicorn")
    client = Client()
    factories.sign_in(client, supervisor)
    with django_assert_max_num_queries(30):
        page = client.get("/inbox/")
    assert (len(page.context["rows"]), page.context["names"]) == (50, 61)
    assert not any(row["on_its_way"] for row in page.context["rows"])
    Parking.objects.filter(value="unicorn").update(parked_at=timezone.now() - timedelta(days=1))
    first = client.get("/inbox/").context["rows"][0]
    assert (first["value"], first["count"], first["on_its_way"]) == ("unicorn", 2, True)
    with django_assert_max_num_queries(12):
        assert sweep_parked(now=timezone.now()) == 1


def test_a_name_with_many_events_hides_no_other_from_the_sweep(place: Place, monkeypatch: Any) -> None:
    monkeypatch.setattr("review.tasks.mapping.MOST", 2)
    for _number in range(12):
        post(place, predictions=[UNICORN[0] | {"class": "beast"}])
    post(place, predictions=UNICORN)
    append_class(taxonomy=place.taxonomy, name="unicorn", person=None)
    assert sweep_parked(now=timezone.now()) == 1


def test_a_class_may_be_left_as_it_is(place: Place, supervisor: User) -> None:
    event = post(place, predictions=UNICORN).event
    client = Client()
    factories.sign_in(client, supervisor)
    client.post("/inbox/", {"site": str(place.site.pk), "kind": "class", "value": "unicorn", "leave": "1"})
    assert not TaxonomyClass.objects.filter(name="unicorn").exists()
    again = post(place, predictions=UNICORN).event
    assert set(Routing.objects.values_list("event", flat=True)) == {event.pk, again.pk}
    assert names.in_our_words(event, UNICORN) == UNICORN
    assert "left as it is" in client.get("/inbox/").content.decode()
    for kind in ("camera", "model"):
        client.post("/inbox/", {"site": str(place.site.pk), "kind": kind, "value": "x", "leave": "1"})
    assert NameMap.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_replays_at_once_route_each_event_once(at_once: AtOnce, monkeypatch: Any) -> None:
    monkeypatch.setattr("review.actions.mapping.BATCH", 2)
    place = factories.make_place("yard")
    for _number in range(9):
        post(place, predictions=UNICORN)
    append_class(taxonomy=place.taxonomy, name="unicorn", person=None)
    at_once(3, lambda _number: replay_parked.func(str(place.site.pk), "class", "unicorn"))
    assert Routing.objects.count() == 9
    assert not Parking.objects.filter(resolved_at=None).exists()


def test_the_inbox_offers_the_likeliest_first(roaming: Place, supervisor: User) -> None:
    create_camera(site=roaming.site, slug="line-3-top", name="Line 3, top", maker=None)
    post(roaming, camera="line3-top")
    client = Client()
    factories.sign_in(client, supervisor)
    [row] = client.get("/inbox/").context["rows"]
    assert row["likeliest"] == ["Line 3, top (line-3-top)"]
    camera = Camera.objects.get(slug="line-3-top")
    fields = {"site": str(roaming.site.pk), "kind": "camera", "value": "line3-top"}
    for wrong in ("", "line 9", str(camera.pk)):
        client.post("/inbox/", fields | {"target": wrong})
        assert not NameMap.objects.exists()
    assert client.post("/inbox/", fields | {"target": row["likeliest"][0]}).status_code == 302
    assert NameMap.objects.get().camera == camera
    assert "What names stand for" in client.get("/inbox/").content.decode()


def map_word(place: Place, person: User, value: str, target: str, model: str) -> int:
    now = timezone.now()
    return map_name(
        site=place.site,
        cause=ParkingCause.CLASS,
        value=value,
        target=target,
        person=person,
        now=now,
        model_name=model,
    )


OTHER = {"name": "other", "version": "1"}


def test_a_word_of_one_model_stands_for_something_else_in_another_ones_mouth(place: Place, supervisor: User) -> None:
    register_model_version(site=place.site, name="other", version="1", maker=None)
    ours, theirs = (post(place, predictions=UNICORN, **more).event for more in ({}, {"model": OTHER}))
    assert map_word(place, supervisor, "unicorn", CLASSES[1], "other") == 1
    assert not theirs.parkings.filter(resolved_at=None).exists()
    assert ours.parkings.filter(resolved_at=None).exists()
    assert names.in_our_words(theirs, UNICORN)[0]["class"] == CLASSES[1]
    assert names.in_our_words(ours, UNICORN) == UNICORN
    # What all of them mean by it changes nothing for the one that has a meaning of its own.
    assert map_word(place, supervisor, "unicorn", CLASSES[0], "") == 1
    assert [names.in_our_words(event, UNICORN)[0]["class"] for event in (ours, theirs)] == [CLASSES[0], CLASSES[1]]


def test_a_model_may_call_a_class_by_the_name_of_another(place: Place, supervisor: User) -> None:
    register_model_version(site=place.site, name="other", version="1", maker=None)
    swapped = [UNICORN[0] | {"class": CLASSES[0]}]
    map_word(place, supervisor, CLASSES[0], CLASSES[1], "other")
    event = post(place, predictions=swapped, model=OTHER).event
    assert names.in_our_words(event, swapped)[0]["class"] == CLASSES[1]
    assert AuditEntry.objects.get(verb="word.mapped").additional_data["model"] == "other"
    row = NameMap.objects.get()
    unmap_name(row=row, person=supervisor, reason="wrong", now=timezone.now())
    names.forget()
    assert names.in_our_words(event, swapped) == swapped


def test_only_classes_are_words_of_one_model(place: Place, supervisor: User) -> None:
    camera = create_camera(site=place.site, slug="two", name="Two", maker=None)
    fields = {"cause": "camera", "value": "x", "camera": camera, "model_name": "other"}
    with pytest.raises(IntegrityError), transaction.atomic():
        NameMap.objects.create(site=place.site, created_at=timezone.now(), **fields)


def test_the_sweep_frees_the_events_of_the_model_whose_word_is_known_and_ends(
    place: Place, supervisor: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr("review.actions.mapping.BATCH", 1)
    register_model_version(site=place.site, name="other", version="1", maker=None)
    for _number in range(2):
        post(place, predictions=UNICORN), post(place, predictions=UNICORN, model=OTHER)
    NameMap.objects.create(
        site=place.site,
        cause="class",
        value="unicorn",
        model_name="other",
        class_name=CLASSES[0],
        created_at=timezone.now(),
    )
    assert sweep_parked(now=timezone.now()) == 1
    replay_parked.func(str(place.site.pk), "class", "unicorn", "other")
    left = Parking.objects.filter(resolved_at=None)
    assert (left.filter(model_name="other").count(), left.count()) == (0, 2)
    assert sweep_parked(now=timezone.now()) == 0


def test_the_words_of_a_model_on_a_page(place: Place, supervisor: User, elsewhere: Place) -> None:
    version = register_model_version(site=place.site, name="other/2", version="1", maker=None)
    said = [UNICORN[0], UNICORN[0] | {"id": "p2", "class": CLASSES[0]}]
    post(place, predictions=said, model={"name": "other/2", "version": "1"})
    client = Client()
    factories.sign_in(client, supervisor)
    address = f"/models/{version.pk}/"
    rows = {row.value: row for row in client.get(address).context["rows"]}
    assert {value: (row.stands_for, row.waiting) for value, row in rows.items()} == {
        "unicorn": ("", 1),
        CLASSES[0]: (CLASSES[0], 0),
    }
    [parked] = client.get("/inbox/").context["rows"]
    assert parked["models"] == [("other/2", version.pk)]
    client.post(address, {"value": "unicorn", "target": "nonsense"})
    assert not NameMap.objects.exists()
    assert client.post(address, {"value": "unicorn", "target": CLASSES[1]}).status_code == 302
    assert not Parking.objects.filter(resolved_at=None).exists()
    row = next(row for row in client.get(address).context["rows"] if row.value == "unicorn")
    assert (row.stands_for, row.map.model_name) == (CLASSES[1], "other/2")
    taken = client.post(f"/inbox/maps/{row.map.pk}/end/", {"reason": "wrong", "words": "1"})
    assert taken.url == address
    models = client.get("/models/").context["rows"]
    assert ("other/2", 1) in {(row.newest.name, row.versions) for row in models}
    for wrong in (elsewhere.model.pk, place.site.pk):
        assert client.get(f"/models/{wrong}/").status_code == 404
        assert client.post(f"/models/{wrong}/", {"value": "a", "target": CLASSES[0]}).status_code == 404


def test_every_model_of_a_word_must_be_known_before_it_is_on_its_way(place: Place, supervisor: User) -> None:
    register_model_version(site=place.site, name="other", version="1", maker=None)
    post(place, predictions=UNICORN), post(place, predictions=UNICORN, model=OTHER)
    client = Client()
    factories.sign_in(client, supervisor)
    NameMap.objects.create(
        site=place.site,
        cause="class",
        value="unicorn",
        model_name="other",
        class_name=CLASSES[0],
        created_at=timezone.now(),
    )
    [row] = client.get("/inbox/").context["rows"]
    assert (len(row["models"]), row["on_its_way"]) == (2, False)
    append_class(taxonomy=place.taxonomy, name="unicorn", person=None)
    assert client.get("/inbox/").context["rows"][0]["on_its_way"]


# Cameras that were retired


def retired(place: Place, person: User, slug: str, name: str) -> Camera:
    camera = create_camera(site=place.site, slug=slug, name=name, maker=None)
    retire_camera(camera=camera, reason="moved", person=person, now=timezone.now())
    return camera


def test_a_retired_namesake_is_brought_back_and_not_made_twice(roaming: Place, supervisor: User) -> None:
    camera = retired(roaming, supervisor, "south-gate", "South gate")
    event = post(roaming, camera="South Gate").event
    with pytest.raises(Conflict) as refused:
        create(roaming, supervisor, ParkingCause.CAMERA, "South Gate")
    assert refused.value.code == "camera_retired"
    assert bring_back(site=roaming.site, value="South Gate", person=supervisor, now=timezone.now()) == 1
    camera.refresh_from_db()
    assert (camera.retired_at, Camera.objects.filter(name__iexact="south gate").count()) == (None, 1)
    assert names.camera_of(event) == "south-gate"
    assert not post(roaming, camera="South Gate").event.parkings.exists()
    assert AuditEntry.objects.filter(verb="camera.restored", subject_id=camera.pk).count() == 1


def test_a_name_that_a_camera_in_use_has_too_brings_nothing_back(roaming: Place, supervisor: User) -> None:
    retired(roaming, supervisor, "south-gate", "South gate")
    create_camera(site=roaming.site, slug="south-gate-2", name="South gate", maker=None)
    post(roaming, camera="South gate")
    with pytest.raises(Conflict) as refused:
        bring_back(site=roaming.site, value="South gate", person=supervisor, now=timezone.now())
    assert refused.value.code == "camera_not_retired"
    assert Camera.objects.in_use().filter(name="South gate").count() == 1


def test_the_inbox_offers_to_bring_a_camera_back_to_who_manages_sources(roaming: Place, supervisor: User) -> None:
    camera = retired(roaming, supervisor, "south-gate", "South gate")
    post(roaming, camera="South gate")
    form = {"site": str(roaming.site.pk), "kind": "camera", "value": "South gate", "back": "1"}
    shown = page(supervisor).get("/inbox/").content.decode()
    assert ("Who manages sources can bring it back" in shown, 'name="back"' in shown) == (True, False)
    assert page(supervisor).post("/inbox/", form).status_code == 404
    fleet = make_person("flo", Role.FLEET_ENGINEER, roaming.site)
    shown = page(fleet).get("/inbox/").content.decode()
    assert ("is retired: moved" in shown, 'name="back"' in shown, "Create and route" in shown) == (True, True, False)
    page(fleet).post("/inbox/", form)
    camera.refresh_from_db()
    assert (camera.retired_at, Parking.objects.filter(resolved_at=None).exists()) == (None, False)
