"""Uploads in the browser: with a script file by file, without one as a plain form."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from review.models import Event, UploadJob
from tests.factories import Place, make_person, sign_in
from tests.review.uploads.files import add, begin, packed, picture, whole, work_off

pytestmark = pytest.mark.django_db
SCRIPT = {"X-Requested-With": "fetch", "Accept": "application/json"}


@pytest.fixture
def browser(operator: User) -> Client:
    client = Client()
    sign_in(client, operator)
    return client


def fields(place: Place, **more: Any) -> dict[str, Any]:
    return {"site": place.site.pk, "camera": place.camera.pk, "what": "photos"} | more


def chosen(*names: str) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, picture(n)) for n, name in enumerate(names)]


def test_a_plain_form_with_several_files_is_sent_at_once(place: Place, browser: Client) -> None:
    answer = browser.post("/uploads/", fields(place, note="gate\n4", files=chosen("a.jpg", "b.jpg")))
    job = UploadJob.objects.get()
    assert answer["Location"] == f"/uploads/{job.pk}/"
    assert (job.state, job.note, job.kind) == ("checking", "gate 4", "report")
    work_off(job)
    page = browser.get(answer["Location"]).content.decode()
    assert "2 events" in page
    assert "kept; no rule" in page


def test_a_plain_form_with_an_archive_and_predictions(place: Place, browser: Client) -> None:
    archive = packed({"images/a.jpg": picture(1), "labels/a.txt": b"0 0.5 0.5 0.5 0.5 0.4", "labels/b.txt": b"?"})
    about = {"what": "predictions", "model_name": "detector", "model_version": "1.0", "kind": "sample"}
    about |= {"task": "detection", "classes": "bird\nperson", "reporting_floor": "0.25"}
    answer = browser.post("/uploads/", fields(place, files=SimpleUploadedFile("set.zip", archive), **about))
    work_off(UploadJob.objects.get())
    page = browser.get(answer["Location"]).content.decode()
    assert "1 in the queue yard unsure" in page
    assert reverse("desk", args=[place.queue.pk]) in page
    assert "line 1" in page
    everything = browser.get(answer["Location"] + "?show=all").content.decode()
    assert reverse("event", args=[Event.objects.get().pk]) in everything


def test_a_script_brings_file_by_file_and_asks_what_is_there(place: Place, browser: Client) -> None:
    begun = browser.post("/uploads/", fields(place), headers=SCRIPT)
    assert begun.status_code == 201
    where = begun.json()
    for status in (201, 200):
        (file,) = chosen("x.jpg")
        told = {"files": file, "name": "folder/a.jpg", "modified": "1767225600000"}
        answer = browser.post(where["files"], told, headers=SCRIPT)
        assert (answer.status_code, answer.json()["name"]) == (status, "folder/a.jpg")
    there = browser.get(where["files"]).json()
    assert [(file["name"], file["size"]) for file in there["files"]] == [("folder/a.jpg", len(picture(0)))]
    assert browser.post(where["send"], headers=SCRIPT).status_code == 200
    again = browser.post(where["send"], headers=SCRIPT)
    assert (again.status_code, again.json()["code"]) == (409, "upload_closed")
    job = work_off(UploadJob.objects.get())
    assert Event.objects.get().captured_at.year == 2026
    assert b"every 2s" not in browser.get(f"/uploads/{job.pk}/progress/").content


def test_another_sites_camera_is_refused(place: Place, elsewhere: Place, browser: Client) -> None:
    for change in (
        {"camera": elsewhere.camera.pk},
        {"site": elsewhere.site.pk},
        {"site": "x"},
        {"what": "predictions"},
    ):
        answer = browser.post("/uploads/", fields(place) | change, headers=SCRIPT)
        assert answer.status_code == 422
    assert not UploadJob.objects.exists()
    assert elsewhere.camera.name not in browser.get("/uploads/").content.decode()


def test_who_sees_an_upload_and_who_may_go_on_with_it(place: Place, operator: User, outsider: User) -> None:
    job = begin(place, operator)
    add(job, "a.jpg", picture(1))
    people = {"outsider": outsider}
    people |= {role.value: make_person(f"p-{role.value}", role, place.site) for role in Role}
    people["queue"] = make_person("of-a-queue")
    from tests.factories import give_role

    give_role(people["queue"], Role.OPERATOR, queue=place.queue)
    seen: dict[str, tuple[int, ...]] = {}
    for name, person in people.items():
        client = Client()
        sign_in(client, person)
        where = f"/uploads/{job.pk}/"
        seen[name] = (
            client.get(where).status_code,
            client.post(f"{where}files/", {"files": chosen("b.jpg")}).status_code,
        )
    assert seen == {
        "outsider": (404, 404),
        "operator": (404, 404),
        "ml_engineer": (404, 404),
        "auditor": (404, 404),
        "queue": (404, 404),
        "supervisor": (200, 403),
        "fleet_engineer": (200, 403),
        "administrator": (200, 403),
    }
    assert job.files.count() == 1


def test_names_are_shown_as_text(place: Place, browser: Client, operator: User) -> None:
    job = begin(place, operator)
    names = ["../../x.jpg", "..\\y.jpg", "%2e%2e%2f.jpg", "a\0b.jpg", "n" * 300 + ".jpg", "a\nb.jpg", "-rf", "CON"]
    names += [".htaccess", "a\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe", "<img src=x onerror=y>.jpg", "\U0001f9ba.jpg", ""]
    for n, name in enumerate(names):
        (file,) = chosen("x")
        file.seek(0)
        told = {"files": SimpleUploadedFile("x", picture(n)), "name": name}
        answer = browser.post(f"/uploads/{job.pk}/files/", told, headers=SCRIPT)
        assert answer.status_code == 201, name
    page = browser.get(f"/uploads/{job.pk}/?show=all").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page


def test_the_pages_ask_a_constant_number_of_questions(place: Place, browser: Client, operator: User) -> None:
    def asked(address: str) -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(address).status_code == 200
        return len(caught)

    few = whole(place, operator, {"a.jpg": picture(1)})
    counts = asked("/uploads/"), asked(f"/uploads/{few.pk}/?show=all")
    many = whole(place, operator, {f"{n}.jpg": picture(n) for n in range(30)})
    for _n in range(4):
        whole(place, operator, {"a.jpg": picture(1)})
    assert (asked("/uploads/"), asked(f"/uploads/{many.pk}/?show=all")) == counts


def test_cancelling_and_more_files_than_a_page_shows(place: Place, browser: Client, operator: User) -> None:
    job = begin(place, operator)
    for n in range(103):
        add(job, f"{n:03}.txt", str(n).encode())
    page = browser.get(f"/uploads/{job.pk}/?show=all").content.decode()
    assert "099.txt" in page
    assert "100.txt" not in page
    last = job.files.order_by("id")[99].pk
    assert "102.txt" in browser.get(f"/uploads/{job.pk}/?show=all&after={last}").content.decode()
    assert browser.post(f"/uploads/{job.pk}/cancel/").status_code == 302
    assert UploadJob.objects.get().state == "cancelled"
    answer = browser.post(f"/uploads/{job.pk}/files/", {"files": chosen("b.jpg")}, headers=SCRIPT)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_closed")
