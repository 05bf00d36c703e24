"""Pictures and originals: who gets them, in which form, and what is never sent."""

import os
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.roles import Role
from review import evidence_store
from review.models import Evidence, EvidenceState, Rendition
from review.tasks.renditions import make_renditions
from tests import factories
from tests.doors import content
from tests.factories import Place, jpeg, make_item, make_person

PICTURE = jpeg((10, 20, 30))


@pytest.fixture
def evidence(place: Place) -> Evidence:
    make_item(place, picture=PICTURE)
    found = Evidence.objects.get()
    make_renditions.func(str(found.pk))
    return found


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def boss(supervisor: User) -> Client:
    return signed_in(supervisor)


def original(evidence: Evidence) -> str:
    return f"/media/{evidence.pk}/original/"


def test_a_supervisor_saves_the_very_bytes_of_an_original(boss: Client, evidence: Evidence) -> None:
    answer = boss.get(original(evidence))
    assert content(answer) == PICTURE
    assert answer["Content-Disposition"] == f'attachment; filename="{evidence.sha256[:16]}.jpg"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-store"
    entry = AuditEntry.objects.get(verb="original.downloaded")
    assert (entry.object_pk, entry.additional_data["sha256"]) == (str(evidence.pk), evidence.sha256)


def test_an_operator_sees_the_picture_and_not_its_original(operator: User, evidence: Evidence) -> None:
    client = signed_in(operator)
    assert client.get(f"/media/{evidence.pk}/working/").status_code == 200
    assert client.get(original(evidence)).status_code == 403
    assert not AuditEntry.objects.filter(verb="original.downloaded").exists()


def test_a_range_of_an_original_is_those_bytes(boss: Client, evidence: Evidence) -> None:
    answer = boss.get(original(evidence), headers={"Range": "bytes=2-5"})
    assert (answer.status_code, content(answer)) == (206, PICTURE[2:6])
    assert answer["Content-Range"] == f"bytes 2-5/{len(PICTURE)}"


def test_a_picture_is_sent_in_ranges_too(operator: User, evidence: Evidence) -> None:
    client, address = signed_in(operator), f"/media/{evidence.pk}/thumbnail/"
    whole = content(client.get(address))
    assert content(client.get(address, headers={"Range": "bytes=-7"})) == whole[-7:]
    assert client.get(address, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert client.get(address, headers={"Range": "bytes=9999999-"}).status_code == 416
    assert client.get(address, headers={"Range": "bytes=9999999-9999999"}).status_code == 416
    assert client.get(address, headers={"Range": "bytes=-0"}).status_code == 416
    assert content(client.get(address, headers={"Range": "bytes=0-1, 3-4"})) == whole
    assert content(client.get(address, headers={"Range": "bytes=0-1", "If-Range": '"old"'})) == whole
    assert client.get(address, headers={"Range": "bytes=" + "9" * 5000 + "-"}).status_code == 200


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=9999999-2", "bytes=-", "bytes=a-b", "lines=0-1"])
def test_what_is_no_range_is_as_good_as_none(operator: User, evidence: Evidence, wanted: str) -> None:
    client, address = signed_in(operator), f"/media/{evidence.pk}/thumbnail/"
    answer = client.get(address, headers={"Range": wanted})
    assert (answer.status_code, content(answer)) == (200, content(client.get(address)))


def test_a_picture_that_is_there_already_is_not_sent_again(operator: User, evidence: Evidence) -> None:
    client, address = signed_in(operator), f"/media/{evidence.pk}/working/"
    tag = client.get(address)["ETag"]
    answer = client.get(address, headers={"If-None-Match": f'"x", {tag}'})
    assert (answer.status_code, content(answer)) == (304, b"")
    assert answer["Cache-Control"] == "private, max-age=300"


def test_behind_nginx_only_the_decision_is_ours(boss: Client, evidence: Evidence, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"ACCEL_PREFIX": "/_files/"}
    answer = boss.get(original(evidence))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Accel-Redirect"] == f"/_files/{evidence.path}"
    assert answer["Content-Disposition"].startswith("attachment")
    picture = boss.get(f"/media/{evidence.pk}/working/")
    assert picture["X-Accel-Redirect"].startswith("/_files/renditions/")
    stranger = signed_in(make_person("stranger"))
    assert not stranger.get(original(evidence)).has_header("X-Accel-Redirect")


def test_a_flipped_byte_is_noticed_before_one_is_sent(boss: Client, evidence: Evidence) -> None:
    path = evidence_store.local_path(evidence.path)
    assert path is not None
    path.write_bytes(PICTURE[:-1] + bytes([PICTURE[-1] ^ 1]))
    answer = boss.get(original(evidence), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "file_damaged")
    assert AuditEntry.objects.filter(verb="original.damaged", object_pk=str(evidence.pk)).exists()
    assert not AuditEntry.objects.filter(verb="original.downloaded").exists()


def test_altered_bytes_get_the_same_answer_once_they_are_known(boss: Client, evidence: Evidence) -> None:
    path = evidence_store.local_path(evidence.path)
    assert path is not None
    path.write_bytes(b"rotten")
    Evidence.objects.update(state=EvidenceState.DAMAGED, damage="its file is not what was stored")
    assert boss.get(original(evidence)).status_code == 409
    path.write_bytes(PICTURE)
    assert boss.get(original(evidence)).status_code == 404


def test_whoever_asks_for_a_damaged_original_again_and_again_leaves_one_entry_a_minute(
    boss: Client, evidence: Evidence
) -> None:
    path = evidence_store.local_path(evidence.path)
    assert path is not None
    path.write_bytes(b"rotten")
    with time_machine.travel("2026-11-23T12:00:05Z", tick=False) as clock:
        boss.force_login(User.objects.get(pk=boss.session["_auth_user_id"]))
        assert [boss.get(original(evidence)).status_code for _ in range(3)] == [409] * 3
        assert AuditEntry.objects.filter(verb="original.damaged").count() == 1
        clock.shift(61)
        boss.get(original(evidence))
    assert AuditEntry.objects.filter(verb="original.damaged").count() == 2


def downloads() -> int:
    return AuditEntry.objects.filter(verb="original.downloaded").count()


@pytest.mark.parametrize("prefix", ["", "/_files/"], ids=["by us", "by nginx"])
def test_what_sends_no_byte_reads_none_and_is_no_download(
    boss: Client, evidence: Evidence, settings: Any, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"ACCEL_PREFIX": prefix}
    monkeypatch.setattr("review.views.media.digest_of", lambda _name: pytest.fail("read"))
    head = boss.head(original(evidence))
    assert (head.status_code, content(head)) == (200, b"")
    known = boss.get(original(evidence), headers={"If-None-Match": head["ETag"]})
    assert (known.status_code, content(known)) == (304, b"")
    assert not known.has_header("X-Accel-Redirect")
    assert downloads() == 0


def test_a_download_in_ranges_has_one_entry_a_minute_and_each_whole_one_its_own(
    boss: Client, evidence: Evidence
) -> None:
    with time_machine.travel("2026-11-23T12:00:05Z", tick=False) as clock:
        boss.force_login(User.objects.get(pk=boss.session["_auth_user_id"]))
        for first in range(5):
            assert boss.get(original(evidence), headers={"Range": f"bytes={first}-{first}"}).status_code == 206
        assert downloads() == 1
        clock.shift(61)
        boss.get(original(evidence), headers={"Range": "bytes=5-"})
        assert downloads() == 2
        boss.get(original(evidence))
        boss.get(original(evidence))
    assert downloads() == 4


def test_the_ranges_of_somebody_else_are_recorded_apart(boss: Client, evidence: Evidence) -> None:
    other = signed_in(make_person("second", Role.SUPERVISOR, evidence.site))
    for client in (boss, other, boss, other):
        client.get(original(evidence), headers={"Range": "bytes=0-1"})
    assert downloads() == 2


def planted(name: str, target: Path, link: Any) -> None:
    path = evidence_store.local_path(name)
    assert path is not None
    path.unlink()
    link(target, path)


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_link_that_was_planted_leads_nowhere(boss: Client, evidence: Evidence, tmp_path: Path, link: Any) -> None:
    """A51: links inside the store to a file outside of it, in the place of an original and of its copy."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"root:x:0:0")
    planted(evidence.path, secret, link)
    planted(Rendition.objects.get(evidence=evidence, kind="working").path, secret, link)
    for address in (original(evidence), f"/media/{evidence.pk}/working/"):
        answer = boss.get(address)
        assert answer.status_code in {404, 409}
        assert b"root:x" not in content(answer)


def test_a_folder_that_leads_outside_is_not_followed(boss: Client, evidence: Evidence, tmp_path: Path) -> None:
    """A51: the folder is the link, and the file behind it is even the right one."""
    path = evidence_store.local_path(evidence.path)
    assert path is not None
    outside = tmp_path / "outside"
    path.parent.rename(outside)
    path.parent.symlink_to(outside)
    assert boss.get(original(evidence)).status_code == 404


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../etc/passwd", "evidence/../../../etc/passwd", "a\0b", "x" * 5000]
)
def test_a_name_that_leads_outside_the_store_is_no_file(file_store: Path, name: str) -> None:
    """A51: whatever a row says."""
    with pytest.raises((FileNotFoundError, OSError)):
        evidence_store.read(name)


def test_a_store_that_is_itself_behind_a_link_works(boss: Client, evidence: Evidence, file_store: Path) -> None:
    moved = file_store.with_name("disk-2")
    file_store.rename(moved)
    file_store.symlink_to(moved)
    assert content(boss.get(original(evidence))) == PICTURE


def test_evidence_that_is_known_to_be_damaged_is_not_given(boss: Client, evidence: Evidence) -> None:
    Evidence.objects.update(state="damaged", damage="bad")
    assert boss.get(original(evidence)).status_code == 404
    assert boss.get(f"/media/{evidence.pk}/working/").status_code == 404


def test_the_right_to_originals_is_the_sites(evidence: Evidence, elsewhere: Place) -> None:
    both = make_person("both", Role.SUPERVISOR, elsewhere.site)
    factories.give_role(both, Role.ML_ENGINEER, evidence.site)
    assert signed_in(both).get(original(evidence)).status_code == 403
