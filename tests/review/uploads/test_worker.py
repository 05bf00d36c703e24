"""Uploads from the first file to the last event, also when a worker dies on the way."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import AuditEntry, User
from accounts.sentences import sentence
from inference.actions.sites import create_camera, revoke_source, rotate_source
from review import evidence_store
from review.actions.uploads import (
    TooManyUploads,
    UploadClosed,
    UploadFull,
    Wishes,
    begin_upload,
    cancel_upload,
    resume_stuck_uploads,
    start_upload,
    sweep_uploads,
)
from review.file_check import check_files
from review.models import Event, Item, Parking, UploadFile, UploadJob
from review.uploads import worker
from review.uploads.worker import advance, clear
from tests.factories import Place, jpeg
from tests.review.uploads.files import MODEL, add, begin, packed, picture, reasons, send, turn, whole, work_off

pytestmark = pytest.mark.django_db
LINE = b"0 0.5 0.5 0.25 0.5 0.42\n"


def staged(root: Path) -> list[Path]:
    return [path for path in (root / "uploads").rglob("*") if path.is_file()]


def test_photos_of_a_person_become_reports(place: Place, operator: User, file_store: Path) -> None:
    files = {"a.jpg": picture(1), "b.jpg": picture(2), "notes.docx": b"x"}
    job = whole(place, operator, files, note="gate 4")
    assert job.state == "done"
    events = Event.objects.filter(source=job.source)
    assert sorted(event.context["file"] for event in events) == ["a.jpg", "b.jpg"]
    event = events[0]
    assert (event.kind, event.model_name, event.camera, event.context["note"]) == ("report", "", place.camera, "gate 4")
    assert (event.frame_width_px, event.frame_height_px) == (64, 48)
    assert event.evidence_rows.get().evidence is not None
    assert reasons(job) == {"notes.docx": "not_used"}
    assert not staged(file_store)
    verbs = AuditEntry.objects.filter(verb__startswith="upload.").order_by("pk")
    assert [entry.verb for entry in verbs] == ["upload.started", "upload.sent", "upload.finished"]
    assert "2 events were made, 0 pictures left out" in sentence(verbs[2])


def test_a_folder_with_yolo_text_comes_into_the_queue(place: Place, operator: User) -> None:
    files = {f"set/images/{n}.jpg": picture(n) for n in (1, 2, 3)}
    files |= {f"set/labels/{n}.txt": LINE for n in (1, 2)}
    files |= {"set/labels/3.txt": b"0 0.5 0.5 0.25 0.5 0.42\n7 0.5 0.5 0.1 0.1 0.9\nx\n", "set/labels/9.txt": LINE}
    files |= {"set/data.yaml": b"names: [bird, person]\n"}
    job = whole(place, operator, files, reporting_floor=0.25, **MODEL)
    assert Item.objects.filter(event__source=job.source, queue=place.queue).count() == 2
    event = Event.objects.filter(source=job.source)[0]
    assert event.predictions == [
        {
            "id": "p1",
            "class": "bird",
            "confidence": 0.42,
            "box": [24.0, 12.0, 16.0, 24.0],
            "alternatives": {},
            "attributes": {},
        }
    ]
    assert (event.reporting_floor, event.model_version) == (0.25, place.model)
    assert reasons(job) == {
        "set/images/3.jpg": "predictions_unread",
        "set/labels/3.txt": "faulty",
        "set/labels/9.txt": "no_picture",
    }
    detail = job.files.get(name="set/images/3.jpg").detail
    assert "line 2: class 7 is not among the 2 names" in detail
    assert "line 3: 'x' is no number of a class" in detail


def test_coco_results_need_their_companion(place: Place, operator: User) -> None:
    listing = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in (1, 2, 3)],
        "categories": [{"id": 5, "name": "bird"}],
        "annotations": [],
    }
    listing["images"][2]["width"] = 640  # type: ignore[index]
    results = [{"image_id": 1, "category_id": 5, "bbox": [1, 2, 10, 12], "score": 0.5}]
    results += [{"image_id": 1, "category_id": 5, "bbox": [1, 2, 10, 12], "score": 0.1}]
    files = {f"{n}.jpg": picture(n) for n in (1, 2, 3, 4)}
    files |= {"results.json": json.dumps(results).encode(), "list.json": json.dumps(listing).encode()}
    job = whole(place, operator, files, reporting_floor=0.25, **MODEL)
    boxes = {event.context["file"]: [p["box"] for p in event.predictions] for event in Event.objects.all()}
    assert boxes == {"1.jpg": [[1.0, 2.0, 10.0, 12.0]], "2.jpg": []}
    assert reasons(job) == {
        "1.jpg": "below_floor",
        "3.jpg": "other_size",
        "4.jpg": "no_predictions",
        "list.json": "listed_only",
    }
    alone = whole(place, operator, {"1.jpg": picture(1), "results.json": files["results.json"]}, **MODEL)
    assert reasons(alone) == {"1.jpg": "no_predictions", "results.json": "faulty"}


def test_no_file_may_mean_an_empty_picture_when_the_person_says_so(place: Place, operator: User) -> None:
    files = {"1.jpg": picture(1), "2.jpg": picture(2), "2.txt": LINE}
    job = whole(place, operator, files, classes=["bird"], empty_without_file=True, **MODEL)
    assert {event.context["file"]: len(event.predictions) for event in Event.objects.all()} == {"1.jpg": 0, "2.jpg": 1}
    assert reasons(job) == {"1.jpg": "no_file_so_empty"}


def test_two_that_claim_one_picture_are_not_guessed_about(place: Place, operator: User) -> None:
    files = {"train/images/a.jpg": picture(1), "val/images/a.jpg": picture(2), "b.jpg": picture(3)}
    files |= {"train/labels/a.txt": LINE, "x/a.txt": LINE, "one/b.txt": LINE, "two/b.txt": LINE}
    job = whole(place, operator, files, classes=["bird"], **MODEL)
    assert [event.context["file"] for event in Event.objects.all()] == ["train/images/a.jpg"]
    assert reasons(job) == {
        "val/images/a.jpg": "no_predictions",
        "x/a.txt": "ambiguous",
        "b.jpg": "predictions_unread",
    }


def test_predictions_without_a_model_are_said_to_be_left_out(place: Place, operator: User) -> None:
    job = whole(place, operator, {"1.jpg": picture(1), "1.txt": LINE})
    assert Event.objects.get().predictions == []
    assert reasons(job) == {"1.txt": "no_model"}


def test_unknown_names_wait_in_the_inbox(place: Place, operator: User) -> None:
    files = {"1.jpg": picture(1), "1.txt": LINE}
    whole(place, operator, files, classes=["unicorn"], **(MODEL | {"model_version_name": "9"}))
    assert set(Parking.objects.values_list("cause", "value")) == {("class", "unicorn"), ("model", "detector 9")}


def test_the_time_is_the_cameras_or_the_files_or_that_of_the_upload(place: Place, operator: User) -> None:
    place.site.time_zone = "Europe/Berlin"
    place.site.save()
    stamped = Image.Exif()
    stamped.get_ifd(0x8769)[0x9003] = "2026:07:01 12:00:00"
    job = begin(place, operator)
    written = datetime(2026, 7, 2, 9, tzinfo=UTC)
    add(job, "exif.jpg", jpeg((1, 2, 3), exif=stamped), written_at=written)
    add(job, "file.jpg", picture(2), written_at=written)
    add(job, "none.jpg", picture(3), written_at=timezone.now() + timedelta(days=900))
    send(job, operator)
    work_off(job)
    found = {event.context["file"]: event for event in Event.objects.all()}
    assert found["exif.jpg"].captured_at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert found["file.jpg"].captured_at == written
    assert found["file.jpg"].historical
    assert not found["none.jpg"].historical
    assert not any(event.clock_skewed for event in found.values())


def test_pictures_are_upright(place: Place, operator: User) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    whole(place, operator, {"t.jpg": jpeg((1, 2, 3), size=(64, 48), exif=turned)})
    assert (Event.objects.get().frame_width_px, Event.objects.get().frame_height_px) == (48, 64)


def test_what_is_no_picture_is_told_by_its_reason(place: Place, operator: User, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MAX_EVIDENCE_BYTES": 5000, "MAX_PIXELS": 5000}
    files = {
        "a.jpg": b"<svg>",
        "b.png": picture(1)[:40],
        "c.jpg": b"x" * 6000,
        "d.jpg": jpeg(size=(90, 90)),
        "e.jpg": b"",
    }
    job = whole(place, operator, files | {"ok.jpg": picture(5)})
    assert Event.objects.count() == 1
    assert reasons(job) == {
        "a.jpg": "unsupported_type",
        "b.png": "unsupported_type",
        "c.jpg": "too_large",
        "d.jpg": "too_many_pixels",
        "e.jpg": "unsupported_type",
    }


def test_the_same_file_again_is_there_once(place: Place, operator: User, file_store: Path) -> None:
    job = begin(place, operator)
    first, again = (add(job, "image.jpg", picture(1)) for _n in range(2))
    assert first.pk == again.pk
    other = add(job, "image.jpg", picture(2))
    copy = add(job, "copy.jpg", picture(1))
    assert len({first.pk, other.pk, copy.pk}) == 3
    assert len(staged(file_store)) == 3
    send(job, operator)
    assert reasons(work_off(job)) == {"copy.jpg": "same_picture"}
    assert Event.objects.count() == 2


def test_two_uploads_of_the_same_pictures_are_two_sets_of_events(place: Place, operator: User) -> None:
    for _n in range(2):
        whole(place, operator, {"a.jpg": picture(1)})
    assert Event.objects.count() == 2
    assert UploadFile.objects.values("event__evidence_rows__evidence").distinct().count() == 1


class Killed(BaseException):
    """The worker is gone, in the midst of it."""


@pytest.mark.parametrize("dies_in", ["UploadFile.save", "forget_bytes", "clear_rows"])
def test_a_worker_that_dies_loses_and_doubles_nothing(
    place: Place, operator: User, file_store: Path, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    job = begin(place, operator, classes=["bird"], **MODEL)
    add(job, "set.zip", packed({f"{n}.jpg": picture(n) for n in range(30)} | {f"{n}.txt": LINE for n in range(30)}))
    for n in range(30, 34):
        add(job, f"{n}.jpg", picture(n))
        add(job, f"{n}.txt", LINE)
    send(job, operator)
    turn(job)
    monkeypatch.setattr(worker, "BATCH", 7)
    calls = {"n": 0}
    where, name = (UploadFile, "save") if "." in dies_in else (worker, dies_in)
    real = getattr(where, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls["n"] += 1
        if calls["n"] % 5 == 3 or (dies_in == "clear_rows" and calls["n"] == 1):
            raise Killed
        return real(*args, **kwargs)

    deaths = 0
    for _try in range(60):
        if UploadJob.objects.get(pk=job.pk).state == "done":
            break
        with patch.object(where, name, dying):
            try:
                turn(job)
            except Killed:
                deaths += 1
        UploadJob.objects.filter(pk=job.pk).update(touched_at=timezone.now() - timedelta(minutes=5))
        resume_stuck_uploads(now=timezone.now())
    assert deaths
    assert UploadJob.objects.get(pk=job.pk).state == "done"
    assert Event.objects.count() == 34
    assert job.files.filter(role="picture", state="taken", event__isnull=False).count() == 34
    assert not staged(file_store)


def test_a_worker_that_was_thought_dead_does_nothing_more(place: Place, operator: User) -> None:
    job = begin(place, operator)
    add(job, "a.jpg", picture(1))
    send(job, operator)
    old = UploadJob.objects.get(pk=job.pk).turn
    assert resume_stuck_uploads(now=timezone.now()) == []
    assert resume_stuck_uploads(now=timezone.now() + timedelta(minutes=2)) == [job.pk]
    advance(job.pk, old)
    assert UploadJob.objects.get(pk=job.pk).state == "checking"
    work_off(job)
    advance(job.pk, UploadJob.objects.get(pk=job.pk).turn)
    assert Event.objects.count() == 1


def test_cancelling_stops_the_worker_and_keeps_what_was_made(
    place: Place, operator: User, file_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BATCH", 2)
    job = begin(place, operator)
    for n in range(6):
        add(job, f"{n}.jpg", picture(n))
    send(job, operator)
    turn(job)
    real = worker.forget_bytes

    def cancelling(rows: list[UploadFile]) -> None:
        real(rows)
        cancel_upload(job=job, person=operator, now=timezone.now())

    with patch.object(worker, "forget_bytes", cancelling):
        turn(job)
    found = UploadJob.objects.get(pk=job.pk)
    assert (found.state, Event.objects.count()) == ("cancelled", 2)
    clear(job.pk)
    assert not staged(file_store)
    with pytest.raises(UploadClosed):
        add(found, "more.jpg", picture(9))


def test_a_full_disk_lets_it_wait(place: Place, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = begin(place, operator)
    add(job, "a.jpg", picture(1))
    send(job, operator)
    turn(job)
    with patch.object(evidence_store, "free_bytes", lambda: -1):
        turn(job)
    assert UploadJob.objects.get(pk=job.pk).state == "running"
    assert reasons(job) == {}
    assert work_off(job).state == "done"
    assert Event.objects.count() == 1


def test_bounds_of_one_upload_a_site_and_a_person(place: Place, operator: User, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"UPLOAD_FILES": 2, "UPLOADS_PER_PERSON": 2}
    job = begin(place, operator)
    for n in range(2):
        add(job, f"{n}.jpg", picture(n))
    with pytest.raises(UploadFull):
        add(job, "2.jpg", picture(2))
    settings.SECONDLOOK = settings.SECONDLOOK | {"UPLOAD_SITE_BYTES": 2000}
    other = begin(place, operator)
    with pytest.raises(UploadFull):
        add(other, "x.jpg", picture(3))
    with pytest.raises(TooManyUploads):
        begin(place, operator)
    with pytest.raises(Invalid):
        start_upload(job=other, person=operator, now=timezone.now())


def test_what_cannot_go_together_is_refused(place: Place, elsewhere: Place, operator: User) -> None:
    for wishes, camera, code in (
        (Wishes(task="detection"), elsewhere.camera, "camera_mismatch"),
        (Wishes(task="detection", kind="sample"), None, "model_missing"),
        (Wishes(task="detection", model_name="m"), None, "model_missing"),
    ):
        with pytest.raises(Invalid) as caught:
            begin_upload(person=operator, site=place.site, camera=camera, wishes=wishes, now=timezone.now())
        assert caught.value.code == code
    job = begin(place, operator)
    with pytest.raises(Conflict):
        rotate_source(source=job.source, person=operator, now=timezone.now(), overlap=timedelta(0))
    revoke_source(source=job.source, person=None, now=timezone.now())
    with pytest.raises(Refused):
        begin(place, operator)


def test_a_camera_of_its_own_site_is_kept(place: Place, operator: User) -> None:
    second = create_camera(site=place.site, slug="cam-2", name="two", maker=None)
    job = begin_upload(
        person=operator, site=place.site, camera=second, wishes=Wishes(task="detection"), now=timezone.now()
    )
    add(job, "a.jpg", picture(1))
    send(job, operator)
    work_off(job)
    assert Event.objects.get().camera == second


def test_uploads_that_nobody_goes_on_with_are_swept(place: Place, operator: User, file_store: Path) -> None:
    job = begin(place, operator)
    add(job, "a.jpg", picture(1))
    sweep_uploads(now=timezone.now())
    assert UploadJob.objects.get().state == "receiving"
    sweep_uploads(now=timezone.now() + timedelta(hours=25))
    assert UploadJob.objects.get().state == "cancelled"
    clear(job.pk)
    assert not staged(file_store)


def test_fsck_knows_staged_files(place: Place, operator: User, file_store: Path) -> None:
    job = begin(place, operator)
    add(job, "a.jpg", picture(1))
    stray = file_store / "uploads" / "stray"
    stray.write_bytes(b"x")
    found = check_files(now=timezone.now() + timedelta(hours=2), mend=True)
    assert found.orphan_files == ["uploads/stray"]
    assert len(staged(file_store)) == 1


def test_the_number_of_queries_per_picture_is_constant(place: Place, operator: User) -> None:
    def queries(pictures: int) -> int:
        job = begin(place, operator, classes=["bird"], **MODEL)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            for n in range(pictures):
                add(job, f"{n}.jpg", picture(100 * pictures + n))
                add(job, f"{n}.txt", LINE)
            send(job, operator)
            work_off(job)
        return len(caught)

    queries(1)
    few, many = queries(5), queries(25)
    assert (many - few) / 20 <= (few - 0) / 5
