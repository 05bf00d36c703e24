"""`manage.py fsck`: rows against files, and an honest exit code."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from review.models import Evidence, EvidenceState, Release, ReleaseFile, ReleaseState, Rendition
from review.releases.store import ReleaseStore
from review.tasks.renditions import make_renditions
from tests.factories import Place, jpeg, post

CLEAN = {"ok": True, "orphan_files": [], "missing_files": [], "damaged": []}


def fsck(*options: str) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command("fsck", "--json", *options, stdout=out)
    except SystemExit as stopped:
        return int(stopped.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.fixture
def evidence(place: Place) -> Evidence:
    post(place, picture=jpeg(size=(640, 480)))
    found = Evidence.objects.get()
    make_renditions.func(str(found.pk))
    return found


@pytest.fixture
def release(place: Place) -> Release:
    now = timezone.now()
    made = Release.objects.create(
        site=place.site,
        taxonomy=place.taxonomy,
        number=1,
        state=ReleaseState.READY,
        recipe={},
        created_at=now,
        touched_at=now,
        ready_at=now,
    )
    sums = ReleaseStore(made.pk).put_bytes("manifest.json", b"{}")
    ReleaseFile.objects.create(release=made, name="manifest.json", size=sums.size, sha256=sums.sha256, crc32=sums.crc32)
    return made


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def aged(path: Path) -> Path:
    """A file of two hours ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(b"x")
    then = timezone.now().timestamp() - 7200
    os.utime(path, (then, then))
    return path


def test_a_whole_store_is_clean(evidence: Evidence, release: Release) -> None:
    assert fsck() == (0, CLEAN)


def test_an_empty_store_is_clean(db: None) -> None:
    assert fsck() == (0, CLEAN)


@pytest.mark.parametrize("mend", [[], ["--mend"]])
def test_a_lost_original_is_found_and_never_mended(evidence: Evidence, file_store: Path, mend: list[str]) -> None:
    (file_store / evidence.path).unlink()
    code, said = fsck(*mend)
    assert (code, said["ok"], said["missing_files"]) == (1, False, [evidence.path])
    evidence.refresh_from_db()
    assert evidence.state == (EvidenceState.DAMAGED if mend else EvidenceState.STORED)
    assert fsck()[0] == 1


def test_one_flipped_bit_of_an_original_is_found(evidence: Evidence, file_store: Path) -> None:
    flip(file_store / evidence.path)
    assert fsck() == (1, CLEAN | {"ok": False, "damaged": [evidence.path]})


def test_two_swapped_originals_are_found(place: Place, file_store: Path) -> None:
    for shade in (1, 200):
        post(place, picture=jpeg((shade, 0, 0)))
    one, other = (file_store / evidence.path for evidence in Evidence.objects.all())
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second), other.write_bytes(first)
    assert len(fsck()[1]["damaged"]) == 2


def test_a_release_file_that_changed_or_went_is_found(release: Release, file_store: Path) -> None:
    path = file_store / ReleaseStore(release.pk).path("manifest.json")
    flip(path)
    assert fsck("--mend")[1]["damaged"] == [f"releases/{release.pk}/manifest.json"]
    path.unlink()
    assert fsck("--mend")[0] == 1
    assert fsck()[1]["missing_files"] == [f"releases/{release.pk}/manifest.json"]


@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_a_rendition_is_made_again(evidence: Evidence, file_store: Path, harm: str) -> None:
    name = evidence.renditions.get(kind="working").path
    if harm == "lost":
        (file_store / name).unlink()
    else:
        (file_store / name).write_bytes((file_store / name).read_bytes()[:-9])
    assert fsck()[0] == 1
    code, said = fsck("--mend")
    assert (code, said["ok"], said["mended"]) == (0, True, [name])
    assert not Rendition.objects.filter(kind="working").exists()
    make_renditions.func(str(evidence.pk))
    assert fsck() == (0, CLEAN)


def test_an_old_file_that_nobody_knows_is_found_and_removed(evidence: Evidence, file_store: Path) -> None:
    names = ["evidence/x/ab/abc", "renditions/00/x.jpg", "releases/gone/manifest.json", f"{evidence.path}.tmp"]
    for name in names:
        aged(file_store / name)
    assert set(fsck()[1]["orphan_files"]) == set(names)
    code, said = fsck("--mend")
    assert (code, set(said["mended"])) == (0, set(names))
    assert fsck() == (0, CLEAN)
    assert (file_store / evidence.path).exists()


def test_a_young_file_may_still_get_its_row(file_store: Path, db: None) -> None:
    young = file_store / "evidence/x/ab/abc"
    young.parent.mkdir(parents=True)
    young.write_bytes(b"x")
    assert fsck("--mend")[0] == 0
    assert young.exists()


def test_what_a_builder_is_writing_is_left_alone(release: Release, file_store: Path) -> None:
    Release.objects.update(state=ReleaseState.BUILDING)
    staged = aged(file_store / f"releases/{release.pk}/.staging/part")
    assert fsck("--mend")[0] == 0
    assert staged.exists()


def test_files_of_others_in_the_store_are_none_of_its_business(file_store: Path, db: None) -> None:
    other = aged(file_store / "probe/ready")
    assert fsck("--mend")[0] == 0
    assert other.exists()


def test_it_says_the_same_in_sentences(evidence: Evidence, file_store: Path) -> None:
    out = io.StringIO()
    call_command("fsck", stdout=out)
    assert "All files are what their rows say." in out.getvalue()
    (file_store / evidence.path).unlink()
    with pytest.raises(SystemExit):
        call_command("fsck", stdout=out)
    assert f"missing  {evidence.path}" in out.getvalue()
