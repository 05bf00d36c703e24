"""The daily check of stored files: all of them, a little at a time, and nothing damaged is shown as good."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.roles import Role
from review import file_check, file_rounds
from review.evidence_store import opened
from review.models import Evidence, EvidenceState, FileDamage, FileRound, Item, Release, ReleaseState, Rendition
from review.tasks.renditions import make_renditions
from tests.factories import Place, jpeg, make_item, make_person, make_place, post, sign_in
from tests.review.test_fsck import flip, release  # noqa: F401

DAY = timedelta(days=1)


def a_round(now: datetime) -> FileRound:
    """A whole round, as many slices as it takes."""
    before = FileRound.objects.filter(finished_at__isnull=False).count()
    for _slice in range(200):
        file_rounds.check_files_when_due(now=now)
        if FileRound.objects.filter(finished_at__isnull=False).count() > before:
            return FileRound.objects.order_by("-id")[0]
    raise AssertionError("no end")


@pytest.fixture
def item(place: Place) -> Item:
    made = make_item(place, picture=jpeg(size=(640, 480)))
    make_renditions.func(str(Evidence.objects.get().pk))
    return made


@pytest.fixture
def evidence(item: Item) -> Evidence:
    return Evidence.objects.get()


def readiness() -> tuple[int, str, str]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()["status"], answer.json()["checks"]["evidence"]


def test_a_rendition_gets_the_digest_of_its_bytes(evidence: Evidence) -> None:
    for rendition in evidence.renditions.all():
        assert rendition.sha256 == file_check.digest_of(rendition.path)


def test_whole_files_are_counted_and_told_of(evidence: Evidence, release: Release, now: datetime) -> None:  # noqa: F811
    done = a_round(now)
    assert (done.files, done.missing, done.damaged, done.mended, done.found) == (4, 0, 0, 0, [])
    assert done.bytes > evidence.size
    facts = AuditEntry.objects.get(verb="files.checked").additional_data
    assert (facts["files"], facts["problems"], facts["found"]) == (4, 0, [])
    assert readiness() == (200, "ok", "ok")


@pytest.mark.parametrize("harm", ["flip", "unlink", "swap"])
def test_a_damaged_original_is_never_shown_as_good(
    item: Item, place: Place, evidence: Evidence, supervisor: User, file_store: Path, now: datetime, harm: str
) -> None:
    path, browser = file_store / evidence.path, Client()
    sign_in(browser, supervisor)
    address = f"/media/{evidence.pk}/working/"
    assert browser.get(address).status_code == 200
    if harm == "flip":
        flip(path)
    elif harm == "unlink":
        path.unlink()
    else:
        post(place, picture=jpeg((9, 9, 200)))
        other = file_store / Evidence.objects.exclude(pk=evidence.pk).get().path
        path.write_bytes(other.read_bytes())
    done = a_round(now)
    evidence.refresh_from_db()
    wanted = file_check.MISSING if harm == "unlink" else file_check.ALTERED
    assert (evidence.state, evidence.damage) == (EvidenceState.DAMAGED, wanted)
    assert browser.get(address).status_code == 404
    assert b"damaged" in browser.get(f"/events/{item.event_id}/").content
    assert (done.missing, done.damaged) == ((1, 0) if harm == "unlink" else (0, 1))
    assert AuditEntry.objects.get(verb="files.checked").additional_data["found"] == [evidence.path]
    assert readiness() == (200, "degraded", "damaged")


def test_a_flipped_byte_of_a_rendition_is_made_anew(evidence: Evidence, file_store: Path, now: datetime) -> None:
    working = evidence.renditions.get(kind="working")
    good = (file_store / working.path).read_bytes()
    flip(file_store / working.path)
    done = a_round(now)
    assert (done.damaged, done.mended, done.found) == (1, 1, [working.path])
    make_renditions.func(str(evidence.pk))
    assert (file_store / working.path).read_bytes() == good
    assert readiness() == (200, "ok", "ok")
    assert a_round(now + DAY).damaged == 0


def test_a_rendition_is_not_made_from_a_bad_original(evidence: Evidence, file_store: Path, now: datetime) -> None:
    thumbnail = evidence.renditions.get(kind="thumbnail")
    flip(file_store / evidence.path)
    flip(file_store / thumbnail.path)
    done = a_round(now)
    assert (done.damaged, done.mended) == (2, 0)
    assert Rendition.objects.filter(pk=thumbnail.pk).exists()
    assert set(FileDamage.objects.values_list("name", flat=True)) == {evidence.path, thumbnail.path}


def test_a_rendition_from_before_digests_gets_one_when_it_is_whole(
    evidence: Evidence, file_store: Path, now: datetime
) -> None:
    Rendition.objects.update(sha256="")
    cut = evidence.renditions.get(kind="thumbnail")
    (file_store / cut.path).write_bytes((file_store / cut.path).read_bytes()[:-1])
    assert a_round(now).mended == 1
    left = evidence.renditions.get()
    assert (left.kind, left.sha256) == ("working", file_check.digest_of(left.path))


def test_a_file_that_comes_back_makes_its_evidence_good_again(
    evidence: Evidence, file_store: Path, now: datetime
) -> None:
    path = file_store / evidence.path
    kept = path.read_bytes()
    path.unlink()
    a_round(now)
    path.write_bytes(kept)
    a_round(now + DAY)
    evidence.refresh_from_db()
    assert (evidence.state, evidence.damage) == (EvidenceState.STORED, "")
    assert not FileDamage.objects.exists()
    assert readiness() == (200, "ok", "ok")


def test_what_could_not_be_decoded_stays_damaged(evidence: Evidence, now: datetime) -> None:
    Evidence.objects.update(state=EvidenceState.DAMAGED, damage="it cannot be decoded")
    a_round(now)
    assert Evidence.objects.get().state == EvidenceState.DAMAGED


def test_a_disk_that_does_not_give_a_file_back_does_not_stop_the_round(
    evidence: Evidence, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(name: str) -> Any:
        if name == evidence.path:
            raise OSError(5, "Input/output error")
        return opened(name)

    monkeypatch.setattr(file_check, "opened", faulty)
    assert a_round(now).found == [evidence.path]
    assert Evidence.objects.get().damage == file_check.UNREADABLE


def test_it_goes_on_from_slice_to_slice(place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for shade in range(5):
        post(place, picture=jpeg((shade * 40, 0, 0)))
    monkeypatch.setattr(file_rounds, "SLICE_BYTES", 1)
    looked = []
    for _slice in range(5):
        file_rounds.check_files_when_due(now=now)
        looked.append(FileRound.objects.get().files)
    assert looked == [1, 2, 3, 4, 5]
    assert a_round(now).files == 5


def test_a_slice_ends_when_much_is_wrong(
    place: Place, file_store: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shade in range(4):
        post(place, picture=jpeg((shade * 40, 0, 0)))
    for evidence in Evidence.objects.all():
        (file_store / evidence.path).unlink()
    monkeypatch.setattr(file_rounds, "SLICE_FOUND", 2)
    monkeypatch.setattr(file_rounds, "KEPT", 3)
    file_rounds.check_files_when_due(now=now)
    assert FileDamage.objects.count() == 2
    done = a_round(now)
    assert (done.missing, len(done.found)) == (4, 3)


def test_a_worker_that_comes_second_changes_nothing(
    place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shade in range(4):
        post(place, picture=jpeg((shade * 40, 0, 0)))
    monkeypatch.setattr(file_rounds, "SLICE_BYTES", 1)
    file_rounds.check_files_when_due(now=now)
    second = FileRound.objects.get()
    for _slice in range(2):
        file_rounds.check_files_when_due(now=now)
    before = FileRound.objects.values().get()
    file_rounds.go_on(second, now=now)
    assert FileRound.objects.values().get() == before


def test_a_round_begins_once_a_day(evidence: Evidence, now: datetime, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"FILE_CHECK_HOURS": 6}
    a_round(now)
    for hours, rounds in ((5, 1), (6, 2), (7, 2)):
        file_rounds.check_files_when_due(now=now + timedelta(hours=hours))
        assert FileRound.objects.count() == rounds


def test_a_release_that_is_being_built_is_left_alone(release: Release, file_store: Path, now: datetime) -> None:  # noqa: F811
    (file_store / f"releases/{release.pk}/manifest.json").unlink()
    Release.objects.update(state=ReleaseState.BUILDING)
    assert a_round(now).files == 0
    Release.objects.update(state=ReleaseState.READY)
    assert a_round(now + DAY).missing == 1
    assert FileDamage.objects.get().site_id == release.site_id


def test_the_queries_of_a_slice_do_not_grow_with_its_files(
    place: Place, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for shade in range(20):
        post(place, picture=jpeg((shade * 10, 0, 0)))
    with django_assert_max_num_queries(8):
        file_rounds.check_files_when_due(now=now)


def test_who_looks_after_the_damage_says_so(evidence: Evidence, file_store: Path, now: datetime) -> None:
    (file_store / evidence.path).unlink()
    a_round(now)
    call_command("fsck", "--seen")
    assert readiness() == (200, "ok", "ok")
    assert AuditEntry.objects.get(verb="files.damage_seen").additional_data["found"] == [evidence.path]
    a_round(now + DAY)
    assert readiness() == (200, "ok", "ok")
    call_command("fsck", "--seen")
    assert AuditEntry.objects.filter(verb="files.damage_seen").count() == 1


def test_supervisors_and_administrators_see_it_and_nobody_elsewhere(
    item: Item, evidence: Evidence, supervisor: User, operator: User, file_store: Path, now: datetime
) -> None:
    (file_store / evidence.path).unlink()
    a_round(now)
    elsewhere = make_person("far", Role.SUPERVISOR, make_place("elsewhere").site)
    everywhere = make_person("all", Role.ADMINISTRATOR)
    for person, sees in ((supervisor, True), (everywhere, True), (operator, False), (elsewhere, False)):
        browser = Client()
        sign_in(browser, person)
        page = browser.get("/audit/").content.decode()
        assert ("stored file is missing" in page) is sees
        assert (f'/audit/story/{item.event_id}/">{item.event_id}' in page) is sees
