"""Sources made in the browser: the token that is shown once, its replacement, and the first event."""

import html
import re
import tomllib
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference.actions.sites import revoke_source, rotate_source
from inference.frigate.config import parse
from inference.models import Camera, Source
from inference.tokens import TRUSTED_S, source_by_token
from review.models import Evidence
from review.tasks.renditions import make_renditions
from tests.factories import Place, bearer, event_body, give_role, jpeg, make_person, post, sign_in


@pytest.fixture
def engineer(place: Place) -> User:
    return make_person("fay", Role.FLEET_ENGINEER, place.site)


def client_of(person: User) -> Client:
    client = Client()
    sign_in(client, person)
    return client


def connect(client: Client, place: Place, **changes: str) -> Any:
    return client.post("/sources/connect/", {"site": str(place.site.pk), "name": "gate PC", "camera": ""} | changes)


def token_in(answer: Any) -> str:
    return re.search(r"sls_[A-Za-z0-9_-]{43}", answer.content.decode())[0]


def test_a_source_is_made_with_a_token_that_is_shown_once(place: Place, engineer: User) -> None:
    client = client_of(engineer)
    answer = connect(client, place, camera="Gate 7, top", days="30")
    token = token_in(answer)
    assert answer["Cache-Control"] == "private, no-store"
    source = Source.objects.get(name="gate PC")
    assert (source.camera.name, source.created_by) == ("Gate 7, top", engineer)
    assert source.ends_at is not None
    assert source_by_token(token, now=timezone.now()) == source
    again = client.get(f"/sources/{source.pk}/")
    assert token not in again.content.decode()
    assert token not in str(list(AuditEntry.objects.values_list("additional_data", "changes")))


@pytest.mark.parametrize("camera", ["", "cam-1"])
def test_the_configuration_for_frigate_is_one_that_the_connector_takes(
    place: Place, engineer: User, camera: str
) -> None:
    shown = html.unescape(connect(client_of(engineer), place, camera=camera).content.decode())
    config = parse(tomllib.loads(shown.split("<<'END'\n")[1].split("END\n")[0]))
    assert [one.name for one in config.cameras.values()] == ([camera] if camera else [])
    assert config.rules[0].cameras == (("CAMERA",) if camera else None)
    assert "/agent/frigate.txt && " in shown


def test_a_known_camera_is_taken_and_not_made_again(place: Place, engineer: User) -> None:
    client = client_of(engineer)
    for typed in ("cam-1", "yard cam 1"):
        connect(client, place, camera=typed)
    assert set(Source.objects.filter(created_by=engineer).values_list("camera__slug", flat=True)) == {"cam-1"}
    assert Camera.objects.filter(site=place.site).count() == 1


def test_another_sites_id_is_no_choice(place: Place, elsewhere: Place, engineer: User) -> None:
    answer = connect(client_of(engineer), elsewhere)
    assert answer.status_code == 422
    assert "dock" not in answer.content.decode().lower()
    assert Source.objects.filter(site=elsewhere.site).count() == 1


def test_a_new_token_leaves_the_old_one_its_time(place: Place, engineer: User) -> None:
    now, source = timezone.now(), place.source
    new = rotate_source(source=source, person=engineer, now=now, overlap=timedelta(hours=1))
    for token in (new, place.token):
        assert source_by_token(token, now=now) == source
    later = now + timedelta(hours=1, seconds=TRUSTED_S)
    from inference.tokens import forget_tokens

    forget_tokens()
    assert source_by_token(place.token, now=later) is None
    newest = rotate_source(source=source, person=engineer, now=later, overlap=timedelta(0))
    assert [source_by_token(token, now=later) for token in (place.token, new, newest)] == [None, None, source]
    with pytest.raises(Invalid):
        rotate_source(source=source, person=engineer, now=now, overlap=timedelta(days=8))


def test_a_revoked_source_gets_no_new_token(place: Place, engineer: User) -> None:
    revoke_source(source=place.source, person=engineer, now=timezone.now())
    with pytest.raises(Conflict):
        rotate_source(source=place.source, person=engineer, now=timezone.now(), overlap=timedelta(0))
    assert source_by_token(place.token, now=timezone.now()) is None


def test_it_is_renamed_rotated_and_revoked_from_its_page(place: Place, engineer: User) -> None:
    client, page = client_of(engineer), f"/sources/{place.source.pk}/"
    client.post(f"{page}rename/", {"name": "  north   gate "})
    assert Source.objects.get(pk=place.source.pk).name == "north gate"
    token = token_in(client.post(f"{page}rotate/", {"hours": "1"}))
    assert "still works until" in client.get(page).content.decode()
    client.post(f"{page}revoke/")
    assert source_by_token(token, now=timezone.now()) is None
    verbs = AuditEntry.objects.filter(verb__startswith="source.", actor=engineer).values_list("verb", flat=True)
    assert set(verbs) == {"source.renamed", "source.rotated", "source.revoked"}


def first(client: Client, source: Source) -> str:
    return client.get(f"/sources/{source.pk}/first/").content.decode()


def test_the_page_waits_and_says_what_was_wrong(place: Place, engineer: User) -> None:
    cache.clear()
    client = client_of(engineer)
    assert "Waiting for the first event" in first(client, place.source)
    for _time in range(3):
        Client().post("/api/v1/events", {"event_id": "x"}, content_type="application/json", **bearer(place.token))
    shown = first(client, place.source)
    assert "$.event_id" in shown
    assert "3 times" in shown
    assert "A field is missing" in shown


def test_whoever_made_the_source_sees_its_first_event(place: Place, engineer: User) -> None:
    client = client_of(engineer)
    token = token_in(connect(client, place, camera="cam-1"))
    source, picture = Source.objects.get(name="gate PC"), jpeg()
    Client().post("/api/v1/events", event_body(picture=picture), content_type="application/json", **bearer(token))
    assert "is on its way" in first(client, source)
    evidence = picture_of(source, picture, token)
    make_renditions.func(str(evidence.pk))
    shown = first(client, source)
    assert "Is this what your model sees?" in shown
    assert 'x="10.0" y="20.0" width="40.0" height="50.0"' in shown
    assert "It waits in the queue yard unsure" in shown
    assert client.get(f"/sources/{source.pk}/first/picture/").status_code == 200
    # Only this: nothing else of the site opens.
    assert client.get(f"/media/{evidence.pk}/working/").status_code == 404
    other = client_of(make_person("otto", Role.FLEET_ENGINEER, place.site))
    assert "10.0" not in first(other, source)
    assert other.get(f"/sources/{source.pk}/first/picture/").status_code == 404


def picture_of(source: Source, picture: bytes, token: str) -> Evidence:
    from tests.factories import sha256

    path = f"/api/v1/evidence/{sha256(picture)}"
    assert Client().put(path, picture, content_type="image/jpeg", **bearer(token)).status_code == 201
    return Evidence.objects.get(site=source.site, sha256=sha256(picture))


@pytest.mark.parametrize(("width", "fits"), [(320, True), (321, True), (480, False)])
def test_a_picture_out_of_proportion_is_told_at_once(place: Place, engineer: User, width: int, fits: bool) -> None:
    client = client_of(engineer)
    token = token_in(connect(client, place))
    picture = jpeg(size=(320, 240))
    body = event_body(picture=picture, frame={"width": width, "height": 240}, kind="report", predictions=[], subject=[])
    body = {name: value for name, value in body.items() if name not in {"model", "thresholds", "reporting_floor"}}
    Client().post("/api/v1/events", body, content_type="application/json", **bearer(token))
    source = Source.objects.get(name="gate PC")
    picture_of(source, picture, token)
    shown = first(client, source)
    assert ("320 × 240 pixels, and the event says 480 × 240" in shown) is not fits
    assert ("No boxes came with it" in shown, "Is this what your model sees?" in shown) == (True, False)


def test_who_may_answer_goes_on_to_the_desk(place: Place, supervisor: User) -> None:
    post(place)
    desk = f"/queues/{place.queue.pk}/desk/"
    fleet = make_person("flo", Role.FLEET_ENGINEER, place.site)
    Source.objects.filter(pk=place.source.pk).update(created_by=fleet)
    assert desk not in first(client_of(fleet), place.source)
    give_role(fleet, Role.OPERATOR, place.site)
    assert desk in first(client_of(fleet), place.source)


def test_a_parked_or_passed_first_event_says_so(place: Place, supervisor: User) -> None:
    client = client_of(supervisor)
    post(place, model={"name": "stranger", "version": "1"})
    shown = first(client, place.source)
    assert "stranger 1" in shown
    assert "Make it known" in shown


def test_faults_are_bounded_and_hold_no_value(place: Place) -> None:
    from accounts.exceptions import Invalid as Fault
    from review.faults import MOST, added, faults_of

    kept: Any = None
    for number in range(50):
        from django.utils import timezone as clock

        from review import faults

        kept = added(kept, faults.Fault(clock.now(), f"code_{number}", str(Fault()), ""))
    assert len(kept) == MOST
    cache.clear()
    body = event_body(predictions=[{"id": "p", "class": "SECRET-CANARY", "confidence": 7}])
    Client().post("/api/v1/events", body, content_type="application/json", **bearer(place.token))
    assert "SECRET-CANARY" not in str(faults_of(place.source.pk))
