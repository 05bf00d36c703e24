"""Sites and cameras in the browser."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict
from accounts.models import AuditEntry, User
from accounts.roles import Role
from accounts.sentences import sentence
from inference.actions.changes import site_state
from inference.actions.connecting import connect_source
from inference.actions.retiring import retire_camera
from inference.actions.sites import create_camera
from inference.models import Camera, Site
from review.models import ParkingCause
from review.views.inbox import choices_of
from tests.factories import Place, make_item, make_person, post, sign_in


@pytest.fixture
def boss(db: None) -> User:
    return make_person("boss", Role.ADMINISTRATOR)


@pytest.fixture
def engineer(place: Place) -> User:
    return make_person("fay", Role.FLEET_ENGINEER, place.site)


def client_of(person: User) -> Client:
    client = Client()
    sign_in(client, person)
    return client


NEW = {"name": "North  Plant", "time_zone": "Europe/Berlin", "registers_models": "on"}


def test_who_administers_everything_makes_a_site(boss: User, place: Place) -> None:
    client = client_of(boss)
    made = client.post("/sites/new/", NEW)
    site = Site.objects.get(name="North Plant")
    assert made["Location"] == f"/sites/{site.pk}/"
    assert (site.slug, site.time_zone, site.registers_models) == ("north-plant", "Europe/Berlin", True)
    assert "North Plant" in client.get("/sites/").content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"name": "x" * 121}, {"time_zone": "Moon/Base"}, {"name": "ＮＯＲＴＨ plant"}, {"name": "YARD"}],
)
def test_what_cannot_be_is_said_and_nothing_is_made(boss: User, place: Place, wrong: dict[str, str]) -> None:
    client = client_of(boss)
    client.post("/sites/new/", NEW)
    assert client.post("/sites/new/", NEW | wrong).status_code == 422
    assert Site.objects.count() == 2


def test_nobody_else_makes_sites(engineer: User, supervisor: User, place: Place) -> None:
    for person in (engineer, supervisor, make_person("ada", Role.ADMINISTRATOR, place.site)):
        assert client_of(person).post("/sites/new/", NEW).status_code == 404
    assert Site.objects.count() == 1


def test_a_site_is_changed_and_two_at_once_see_each_other(engineer: User, place: Place) -> None:
    client, page = client_of(engineer), f"/sites/{place.site.pk}/"
    form: dict[str, Any] = {"name": "The yard", "time_zone": "Asia/Tokyo", "before": site_state(place.site)}
    assert client.post(page, form).status_code == 302
    place.site.refresh_from_db()
    assert (place.site.name, place.site.slug, place.site.time_zone) == ("The yard", "yard", "Asia/Tokyo")
    late = client.post(page, form | {"name": "Mine"})
    assert late.status_code == 422
    assert "Somebody changed this meanwhile" in late.content.decode()
    entry = AuditEntry.objects.get(verb="site.changed").additional_data
    assert (entry["before"], "Asia/Tokyo" in entry["after"]) == (form["before"], True)


def test_cameras_are_made_and_renamed(engineer: User, place: Place) -> None:
    client = client_of(engineer)
    for _twice in range(2):
        assert client.post("/cameras/", {"site": str(place.site.pk), "name": "North mast"}).status_code == 302
    slugs = set(Camera.objects.filter(name="North mast").values_list("slug", flat=True))
    assert "north-mast" in slugs
    assert len(slugs) == 2
    camera = Camera.objects.get(slug="north-mast")
    page = f"/cameras/{camera.pk}/"
    assert client.post(page, {"name": "Mast, north", "before": "North mast"}).status_code == 302
    assert client.post(page, {"name": "Other", "before": "North mast"}).status_code == 422
    camera.refresh_from_db()
    assert (camera.name, camera.slug) == ("Mast, north", "north-mast")
    assert "Mast, north" in client.get("/cameras/").content.decode()


def test_lists_cost_as_many_queries_however_long(
    engineer: User, place: Place, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        Camera.objects.create(site=place.site, slug=f"c{number}", name=f"C {number}")
    client = client_of(engineer)
    client.get("/cameras/")
    for page in ("/cameras/", "/sites/", f"/sites/{place.site.pk}/"):
        with django_assert_max_num_queries(20):
            assert client.get(page).status_code == 200


def test_another_sites_places_do_not_exist(engineer: User, elsewhere: Place) -> None:
    client = client_of(engineer)
    for address in (f"/sites/{elsewhere.site.pk}/", f"/cameras/{elsewhere.camera.pk}/"):
        assert client.get(address).status_code == 404
        assert client.post(address, {"name": "x"}).status_code == 404
    assert client.post("/cameras/", {"site": str(elsewhere.site.pk), "name": "x"}).status_code == 404
    assert "dock" not in client.get("/cameras/").content.decode().lower()


def test_cameras_say_when_they_were_last_seen(engineer: User, place: Place) -> None:
    now = timezone.now()
    for age in (3, 1, 2):
        seen_at = now - timedelta(hours=age)
        post(place, captured_at=seen_at.isoformat(), now=seen_at)
    quiet = create_camera(site=place.site, slug="quiet", name="Quiet", maker=None)
    rows = {row.pk: row.last_at for row in client_of(engineer).get("/cameras/").context["rows"]}
    assert rows == {place.camera.pk: now - timedelta(hours=1), quiet.pk: None}


# Cameras that are retired


def retire(client: Client, camera: Camera, reason: str = "mast was taken down") -> int:
    return client.post(f"/cameras/{camera.pk}/retire/", {"reason": reason}).status_code


def test_a_retired_camera_is_offered_nowhere_and_comes_back(engineer: User, place: Place) -> None:
    client = client_of(engineer)
    uploads, site = client_of(make_person("mia", Role.SUPERVISOR, place.site)), f"/sites/{place.site.pk}/"
    offered = f'value="{place.camera.pk}"'
    assert offered in uploads.get("/uploads/").content.decode()
    assert retire(client, place.camera) == 302
    place.camera.refresh_from_db()
    assert (place.camera.retired_at is not None, place.camera.retired_because) == (True, "mast was taken down")
    assert offered not in uploads.get("/uploads/").content.decode()
    assert f"/cameras/{place.camera.pk}/" not in client.get(site).content.decode()
    assert f'value="{place.camera.slug}"' not in client.get("/sources/connect/").content.decode()
    assert choices_of([place.site]).get((place.site.pk, ParkingCause.CAMERA)) is None
    before, after = client.get("/cameras/").content.decode().split("<h2>Retired</h2>")
    assert f"/cameras/{place.camera.pk}/" not in before
    assert "mast was taken down" in after
    entry = AuditEntry.objects.get(verb="camera.retired")
    assert sentence(entry).endswith("mast was taken down")
    assert client.post(f"/cameras/{place.camera.pk}/restore/").status_code == 302
    assert AuditEntry.objects.filter(verb="camera.restored").exists()
    assert offered in uploads.get("/uploads/").content.decode()
    assert "<h2>Retired</h2>" not in client.get("/cameras/").content.decode()


def test_what_is_posted_about_a_retired_camera_is_taken_in_as_before(engineer: User, place: Place) -> None:
    assert retire(client_of(engineer), place.camera) == 302
    item = make_item(place)
    assert item.event.camera == place.camera
    assert item.queue == place.queue


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_nothing_is_retired_without_a_reason(engineer: User, place: Place, reason: str) -> None:
    assert retire(client_of(engineer), place.camera, reason) == 422
    assert not Camera.objects.exclude(retired_at=None).exists()
    assert not AuditEntry.objects.filter(verb="camera.retired").exists()


def test_retiring_and_bringing_back_happen_once(engineer: User, place: Place) -> None:
    client = client_of(engineer)
    assert client.post(f"/cameras/{place.camera.pk}/restore/").status_code == 422
    assert [retire(client, place.camera), retire(client, place.camera, "again")] == [302, 422]
    assert Camera.objects.get(pk=place.camera.pk).retired_because == "mast was taken down"


def test_no_source_is_connected_to_a_retired_camera(engineer: User, place: Place, now: datetime) -> None:
    retire_camera(camera=place.camera, reason="gone", person=engineer, now=now)
    place.camera.refresh_from_db()
    with pytest.raises(Conflict) as refused:
        connect_source(site=place.site, camera=place.camera, new_camera="", name="new", ends_at=None, maker=engineer)
    assert refused.value.code == "camera_retired"


def test_a_camera_that_is_retired_says_why(place: Place, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Camera.objects.filter(pk=place.camera.pk).update(retired_at=now)


def test_another_sites_camera_is_not_retired(engineer: User, supervisor: User, place: Place, elsewhere: Place) -> None:
    assert retire(client_of(engineer), elsewhere.camera) == 404
    assert retire(client_of(supervisor), place.camera) == 404
    assert not Camera.objects.exclude(retired_at=None).exists()
