"""What sources name that a site does not know: made with one click, and never stuck."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Invalid, SecondLookError
from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference.actions.sites import create_camera, create_source, register_model_version
from inference.models import Camera
from review.actions.mapping import append_class, create_missing
from review.models import Item, Parking, ParkingCause, TaxonomyClass
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
    assert page(fleet).post("/inbox/", form).status_code == 404
    assert Parking.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("change", [{"kind": "planet"}, {"kind": ""}, {"site": "x"}, {"site": ""}, {"value": "a\0b"}])
def test_a_form_that_cannot_be_changes_nothing(place: Place, supervisor: User, change: dict[str, str]) -> None:
    post(place, predictions=UNICORN)
    form = {"site": str(place.site.pk), "kind": "class", "value": "unicorn"} | change
    assert page(supervisor).post("/inbox/", form).status_code in {302, 404, 422}
    assert Parking.objects.filter(resolved_at=None).exists()
