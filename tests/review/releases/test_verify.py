"""Verification finds one changed byte in any file, and says which file it is."""

import json

import pytest
from django.core.management import CommandError, call_command

from review.evidence_store import local_path
from review.models import ReleaseRow, ReleaseState
from review.releases.store import ReleaseStore, Sums
from review.releases.verify import verify
from tests.review.releases.builders import box_label, prediction


@pytest.fixture
def release(yard):
    for place in range(3):
        yard.outcome(camera="one", at=place)
    release = yard.built()
    assert release.state == ReleaseState.READY, release.failure
    return release


def on_disk(release, name):
    return local_path(ReleaseStore(release.pk).path(name))


def problems(release):
    return [problem.name for problem in verify(release)]


def test_an_untouched_release_is_whole(release):
    assert problems(release) == []


def test_one_changed_byte_in_any_file_is_found(release):
    names = list(release.files.values_list("name", flat=True))
    assert len(names) == 3 + 3 + 4
    for name in names:
        path = on_disk(release, name)
        data = path.read_bytes()
        place = len(data) // 2
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert name in problems(release), name
        path.write_bytes(data)
    assert problems(release) == []


def test_a_missing_file_is_found(release):
    for name in list(release.files.values_list("name", flat=True)):
        path = on_disk(release, name)
        data = path.read_bytes()
        path.unlink()
        assert name in problems(release), name
        path.write_bytes(data)


def test_a_file_that_does_not_belong_there_is_found(release):
    on_disk(release, "images/train/extra.jpg").write_bytes(b"x")
    assert problems(release) == ["images/train/extra.jpg"]


@pytest.mark.parametrize("name", ["annotations/instances_train.json", "lineage.jsonl", "manifest.json"])
def test_files_that_were_changed_together_with_their_digest_are_found(release, name):
    path = on_disk(release, name)
    said = path.read_text()
    path.write_text(said.replace('"images/train/', '"images/train/0', 1))
    sums = Sums.of(path.read_bytes())
    release.files.filter(name=name).update(size=sums.size, sha256=sums.sha256, crc32=sums.crc32)
    assert name in problems(release)


def test_a_row_that_says_something_else_than_the_files_is_found(release):
    row = ReleaseRow.objects.get(release=release, position=1)
    row.content["labels"][0]["box"][0] += 1
    row.save()
    found = list(verify(release))
    assert {problem.name for problem in found} == {
        "annotations/instances_train.json",
        next(
            name
            for name in release.files.values_list("name", flat=True)
            if row.content["path"][-20:-4] in name and "labels" in name
        ),
    }
    assert all("picture 1 " in problem.detail for problem in found)


@pytest.mark.parametrize("key", ["labels", "ignore"])
def test_a_class_that_differs_in_a_picture_judged_in_part_is_found(yard, key):
    seen = [prediction("p1"), prediction("p2", "dog", (40, 30, 10, 10))]
    yard.outcome(complete=False, labels=[box_label(prediction="p1")], predictions=seen, subject=["p1"])
    release = yard.built()
    row = release.rows.get()
    row.content[key][0]["class"] = 1
    row.save()
    assert problems(release) == ["annotations/instances_train.json"]


def test_the_command_says_which_file_and_exits_with_an_error(release, capsys):
    call_command("verify_release", str(release.pk), "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is True
    on_disk(release, "data.yaml").write_bytes(b"names: {}\n")
    with pytest.raises(CommandError):
        call_command("verify_release", str(release.pk), "--json")
    said = json.loads(capsys.readouterr().out)
    assert not said["ok"]
    assert {error["file"] for error in said["errors"]} == {"data.yaml"}


def test_only_a_ready_release_can_be_verified(yard):
    yard.outcome()
    with pytest.raises(CommandError, match="frozen"):
        call_command("verify_release", str(yard.freeze().pk))
