"""Building: what was frozen is what a trainer reads, also after a kill, and only once."""

import io
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from pycocotools.coco import COCO

from accounts.models import AuditEntry
from review.actions.releases import resume_stuck
from review.evidence_store import local_path
from review.models import Evidence, EvidenceState, Outcome, Release, ReleaseState
from review.releases import build as building
from review.releases.build import build
from review.releases.exceptions import Superseded
from review.releases.store import ReleaseStore
from tests.review.releases.builders import box_label, jpeg, prediction

# The files that carry the release's own number.
NUMBERED = ["annotations/instances_train.json", "data.yaml", "manifest.json"]


class Killed(BaseException):
    """What a killed process looks like from inside: nothing is caught, nothing is cleaned up."""


def files(release):
    return {row.name: ReleaseStore(release.pk).read(row.name) for row in release.files.all()}


def coco(release, split, tmp_path):
    path = tmp_path / f"{split}.json"
    path.write_bytes(ReleaseStore(release.pk).read(f"annotations/instances_{split}.json"))
    return COCO(str(path))


def test_a_release_holds_exactly_the_outcomes(yard, tmp_path):
    yard.outcome(Outcome.CONFIRMED, camera="one", at=0)
    yard.outcome(Outcome.CORRECTED, [box_label("dog", (0, 0, 64, 48)), box_label("person")], camera="one", at=10)
    yard.outcome(Outcome.EMPTY, camera="one", at=20)
    yard.outcome(Outcome.UNSURE)
    release = yard.built()
    assert release.state == ReleaseState.READY, release.failure
    read = coco(release, "train", tmp_path)
    found = [
        [(read.cats[one["category_id"]]["name"], one["bbox"]) for one in read.imgToAnns[image]] for image in read.imgs
    ]
    person, dog = ("person", [8, 6, 20, 30]), ("dog", [0, 0, 64, 48])
    assert found == [[person], [dog, person], []]
    assert {name: row["id"] for name, row in ((row["name"], row) for row in read.cats.values())} == {
        "person": 1,
        "forklift": 2,
        "dog": 3,
    }
    written = files(release)
    for image in read.imgs.values():
        assert Image.open(io.BytesIO(written[image["file_name"]])).size == (image["width"], image["height"])
    labels = sorted(text for name, text in written.items() if name.startswith("labels/"))
    assert labels == [
        b"",
        b"0 0.28125000 0.43750000 0.31250000 0.62500000\n",
        b"2 0.50000000 0.50000000 1.00000000 1.00000000\n0 0.28125000 0.43750000 0.31250000 0.62500000\n",
    ]
    assert release.summary["excluded"] == {"unsure": 1}
    assert "single_group" in release.summary["warnings"]


def test_the_manifest_lists_every_file_with_its_digest_and_names_nobody(yard):
    yard.outcome()
    release = yard.built()
    manifest = json.loads(ReleaseStore(release.pk).read("manifest.json"))
    assert {row["name"]: row["sha256"] for row in manifest["files"]} == dict(
        release.files.exclude(name="manifest.json").values_list("name", "sha256")
    )
    assert list(manifest) == sorted(manifest)
    assert manifest["models"] == [{"name": "detector", "pictures": 1, "sha256": "a" * 64, "version": "1.0"}]
    assert manifest["policies"] == [{"pictures": 1, "version": 3}]
    assert list(manifest["people"].values()) == [1]
    lineage = ReleaseStore(release.pk).read("lineage.jsonl")
    assert json.loads(lineage)["verdict"]["by"] in manifest["people"]
    for text in (lineage, json.dumps(manifest).encode()):
        assert yard.person.username.encode() not in text


def test_the_lineage_has_the_models_answer_beside_the_peoples(yard):
    item = yard.outcome(Outcome.CORRECTED, [box_label("dog", prediction="p1")])
    release = yard.built()
    line = json.loads(ReleaseStore(release.pk).read("lineage.jsonl"))
    assert line["model"]["predictions"] == [prediction("p1")]
    assert line["verdict"]["labels"] == [box_label("dog", prediction="p1")]
    assert (line["event"]["id"], line["verdict"]["id"]) == (str(item.event_id), str(item.verdict_id))
    assert line["policy"]["version"] == 3


def test_metadata_does_not_reach_a_release_and_pictures_stand_upright(yard):
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    yard.outcome(data=jpeg(1, exif=exif), camera="one", at=0)
    exif[0x0112] = 6
    yard.outcome(data=jpeg(2, (48, 64), exif=exif), size=(64, 48), camera="one", at=1)
    release = yard.built()
    assert release.state == ReleaseState.READY, release.failure
    pictures = [data for name, data in files(release).items() if name.endswith(".jpg")]
    assert [Image.open(io.BytesIO(data)).size for data in pictures] == [(64, 48), (64, 48)]
    assert not [data for data in pictures if b"SECRET" in data or b"Exif" in data]


def test_an_upright_jpeg_keeps_its_coded_data(yard):
    data = jpeg(1)
    yard.outcome(data=data)
    release = yard.built()
    kept = next(content for name, content in files(release).items() if name.endswith(".jpg"))
    assert data[data.index(b"\xff\xdb") :] == kept[kept.index(b"\xff\xdb") :]


def test_what_was_judged_in_part_is_in_coco_with_ignore_regions_and_not_in_yolo(yard, tmp_path):
    seen = [prediction("p1"), prediction("p2", "dog", (40, 30, 10, 10)), prediction("p3", "bird", (1, 1, 5, 5))]
    yard.outcome(complete=False, labels=[box_label(prediction="p1")], predictions=seen, subject=["p1"])
    release = yard.built()
    assert release.state == ReleaseState.READY, release.failure
    read = coco(release, "train", tmp_path)
    ignored = [(one["category_id"], one["bbox"], one["ignore"]) for one in read.anns.values() if one["iscrowd"]]
    bird = [1.0, 1.0, 5.0, 5.0]
    assert ignored == [(3, [40, 30, 10, 10], 1), (1, bird, 1), (2, bird, 1), (3, bird, 1)]
    assert len(read.anns) == 5
    names = set(files(release))
    assert not [name for name in names if name.startswith(("labels/", "images/"))]
    assert [name for name in names if name.startswith("partial/train/")]
    assert release.summary["formats"] == {"coco": 1, "yolo": 0}
    assert "partial" in release.summary["warnings"]


@pytest.mark.parametrize("nth", [1, 5, 9, 14, 20])
def test_a_killed_build_is_taken_up_again_and_comes_out_the_same(yard, monkeypatch, nth):
    for place in range(8):
        yard.outcome(camera="one", at=place)
    whole = yard.built()
    release = yard.freeze()
    monkeypatch.setattr(building, "CHECKPOINT", 4)
    writes = iter(range(1, 1000))
    real_bytes, real_file = ReleaseStore.put_bytes, ReleaseStore.put_file

    def dying(real):
        def put(self, name, *args):
            if next(writes) == nth:
                half = Path(self.staging).parent / "images" / "train"
                half.mkdir(parents=True, exist_ok=True)
                (half / ".half.jpg.abc.tmp").write_bytes(b"half")
                raise Killed
            return real(self, name, *args)

        return put

    monkeypatch.setattr(ReleaseStore, "put_bytes", dying(real_bytes))
    monkeypatch.setattr(ReleaseStore, "put_file", dying(real_file))
    with pytest.raises(Killed):
        build(release.pk)
    monkeypatch.undo()
    release.refresh_from_db()
    assert release.state == ReleaseState.BUILDING
    assert build(release.pk) is None, "nobody takes a build that may still be alive"
    assert resume_stuck(now=release.touched_at + timedelta(seconds=61)) == [release.pk]
    kept, rewritten = release.done, []
    monkeypatch.setattr(ReleaseStore, "put_bytes", lambda *args: rewritten.append(args) or real_bytes(*args))
    release = build(release.pk)
    assert release.state == ReleaseState.READY, release.failure
    assert len(rewritten) == 2 * (8 - kept)
    first, second = files(whole), files(release)
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == NUMBERED
    assert not [name for name in ReleaseStore(release.pk).names() if ".half" in name]


def test_a_build_killed_while_verifying_is_verified_again(yard, monkeypatch):
    yard.outcome()
    release = yard.freeze()

    def killed(*args, **kwargs):
        raise Killed

    monkeypatch.setattr(building, "verify", killed)
    with pytest.raises(Killed):
        build(release.pk)
    monkeypatch.undo()
    release.refresh_from_db()
    assert release.state == ReleaseState.VERIFYING
    resume_stuck(now=release.touched_at + timedelta(seconds=61))
    assert build(release.pk).state == ReleaseState.READY


def test_a_worker_that_was_thought_dead_writes_nothing_more(yard, monkeypatch):
    for place in range(4):
        yard.outcome(camera="one", at=place)
    release = yard.freeze()
    monkeypatch.setattr(building, "CHECKPOINT", 2)
    real = ReleaseStore.put_bytes
    overtaken = []

    def slow(self, name, data):
        if not overtaken:
            overtaken.append(name)
            touched_at = Release.objects.get(pk=release.pk).touched_at
            assert resume_stuck(now=touched_at + timedelta(seconds=61)) == [release.pk]
            assert build(release.pk).state == ReleaseState.READY
        return real(self, name, data)

    monkeypatch.setattr(ReleaseStore, "put_bytes", slow)
    assert build(release.pk) is None
    release.refresh_from_db()
    assert release.state == ReleaseState.READY
    assert AuditEntry.objects.filter(verb="release.ready", object_pk=str(release.pk)).count() == 1


def test_a_second_build_finds_nothing_to_do(yard):
    yard.outcome()
    release = yard.built()
    assert build(release.pk) is None


def test_progress_of_a_lost_build_is_refused(yard):
    yard.outcome()
    release = yard.freeze()
    progress = building.Progress(building.take(release.pk))
    Release.objects.filter(pk=release.pk).update(touched_at=release.created_at)
    with pytest.raises(Superseded):
        progress.write(done=1)


def test_damaged_evidence_fails_the_build_naming_the_row_and_stays_out_of_the_next_one(yard):
    yard.outcome(camera="one", at=0)
    item = yard.outcome(camera="one", at=1)
    evidence = Evidence.objects.get(event_rows__event=item.event)
    release = yard.freeze()
    path = local_path(evidence.path)
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(bytes(data))
    release = build(release.pk)
    assert release.state == ReleaseState.FAILED
    assert "Picture 1 " in release.failure
    assert not release.files.exists()
    assert not list(ReleaseStore(release.pk).names())
    evidence.refresh_from_db()
    assert evidence.state == EvidenceState.DAMAGED
    second = yard.built()
    assert second.state == ReleaseState.READY
    assert second.summary["excluded"] == {"evidence_damaged": 1}


def test_a_full_disk_fails_the_build_and_says_so(yard, monkeypatch):
    yard.outcome()
    release = yard.freeze()

    def full(self, name, data):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(ReleaseStore, "put_bytes", full)
    release = build(release.pk)
    assert release.state == ReleaseState.FAILED
    assert "full" in release.failure
    assert Evidence.objects.get().state == EvidenceState.STORED


def test_what_was_not_written_as_it_was_frozen_is_never_ready(yard, monkeypatch):
    yard.outcome(camera="one", at=0)
    release = yard.freeze()
    real = ReleaseStore.put_bytes

    def wrong(self, name, data):
        return real(self, name, data.replace(b"0 0.28", b"0 0.29"))

    monkeypatch.setattr(ReleaseStore, "put_bytes", wrong)
    release = build(release.pk)
    assert release.state == ReleaseState.FAILED
    assert "labels/train/" in release.failure
    assert "the labels differ" in release.failure


def test_ready_leaves_an_audit_entry_of_nobody(yard):
    yard.outcome()
    release = yard.built()
    entry = AuditEntry.objects.get(verb="release.ready")
    assert entry.actor is None
    assert entry.additional_data["manifest"] == release.files.get(name="manifest.json").sha256


def test_open_pages_hear_of_every_state_and_not_of_every_checkpoint(yard, monkeypatch):
    for place in range(6):
        yard.outcome(camera="one", at=place)
    release = yard.freeze()
    heard = []
    monkeypatch.setattr(building, "CHECKPOINT", 1)
    monkeypatch.setattr(building, "BEAT_S", 3600)
    monkeypatch.setattr(
        building.broadcast, "release_changed", lambda pk: heard.append(Release.objects.get(pk=pk).state)
    )
    build(release.pk)
    assert heard == [ReleaseState.BUILDING, ReleaseState.VERIFYING, ReleaseState.READY]
