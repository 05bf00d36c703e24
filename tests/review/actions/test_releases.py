"""Freezing a release: what is in it, what is left out and why, and that nothing else happens."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.tasks import task_backends

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry
from review.actions.releases import file_names, make_release, rebuild_release, resume_stuck
from review.models import (
    Evidence,
    EvidenceState,
    Outcome,
    Release,
    ReleaseRow,
    ReleaseState,
    Retraction,
    SplitPin,
    Taxonomy,
    TaxonomyClass,
)
from review.releases import build as building
from tests.review.releases.builders import NOW, START, Yard, box_label, jpeg, prediction


@pytest.fixture
def yard(db):
    return Yard()


def refused(yard, **changes):
    with pytest.raises(Invalid) as caught:
        yard.freeze(**changes)
    return caught.value


def test_it_freezes_a_row_per_picture_and_says_so_in_the_audit_trail(yard):
    item = yard.outcome()
    release = yard.freeze(name=" First ")
    row = release.rows.get()
    assert (row.item_id, row.event_id, row.verdict_id) == (item.pk, item.event_id, item.verdict_id)
    assert (release.number, release.name, release.total, release.state) == (1, "First", 1, ReleaseState.FROZEN)
    entry = AuditEntry.objects.get(verb="release.frozen")
    assert (entry.actor, entry.object_pk, entry.site_id) == (yard.person, str(release.pk), yard.site.pk)


def test_it_enqueues_the_build_on_commit_and_nothing_when_it_is_refused(yard, django_capture_on_commit_callbacks):
    backend = task_backends["default"]
    backend.clear()
    with django_capture_on_commit_callbacks(execute=True):
        refused(yard, enqueue=True)
    assert not backend.results
    yard.outcome()
    with django_capture_on_commit_callbacks(execute=True):
        release = yard.freeze(enqueue=True)
        assert not backend.results
    assert [(result.task.name, result.args) for result in backend.results] == [("build_release", [str(release.pk)])]


def test_nothing_to_release_is_refused_with_the_reasons_and_leaves_nothing(yard):
    for outcome in (Outcome.UNSURE, Outcome.BAD_IMAGE, Outcome.WITHDRAWN, Outcome.LAPSED, Outcome.DISPUTED):
        yard.outcome(outcome)
    error = refused(yard)
    assert error.code == "nothing_to_release"
    assert error.members["excluded"] == {
        "bad_image": 1,
        "disputed": 1,
        "lapsed": 1,
        "unsure": 1,
        "withdrawn": 1,
    }
    assert not Release.objects.exists()
    assert not AuditEntry.objects.exists()


def test_it_takes_decisions_from_the_first_to_the_last_instant(yard):
    day = START + timedelta(days=5)
    for at in (day - timedelta(seconds=1), day, day + timedelta(hours=1), day + timedelta(hours=1, seconds=1)):
        yard.outcome(decided_at=at)
    release = yard.freeze(since=day, until=day + timedelta(hours=1))
    assert sorted(row.item.decided_at for row in release.rows.all()) == [day, day + timedelta(hours=1)]


def test_an_answer_that_can_still_be_undone_waits_for_the_next_release(yard):
    yard.outcome()
    yard.outcome(decided_at=NOW, final_at=NOW + timedelta(microseconds=1))
    yard.outcome(decided_at=NOW, final_at=NOW)
    release = yard.freeze()
    assert release.total == 2
    assert release.summary["excluded"] == {"not_final": 1}


def test_an_answer_that_was_taken_back_is_left_out(yard):
    yard.outcome()
    item = yard.outcome()
    Retraction.objects.create(verdict=item.verdicts.get(), person=yard.person, created_at=NOW)
    assert yard.freeze().summary["excluded"] == {"retracted": 1}


def test_frames_that_are_pending_damaged_or_missing_are_left_out(yard):
    yard.outcome()
    pending, damaged, missing, stretched = (yard.outcome() for _ in range(4))
    pending.event.evidence_rows.update(evidence=None)
    Evidence.objects.filter(event_rows__event=damaged.event).update(state=EvidenceState.DAMAGED)
    missing.event.evidence_rows.update(role="context")
    Evidence.objects.filter(event_rows__event=stretched.event).update(width=64, height=20)
    assert yard.freeze().summary["excluded"] == {
        "evidence_damaged": 1,
        "evidence_pending": 1,
        "frame_size": 1,
        "no_frame": 1,
    }


def test_a_class_that_the_taxonomy_does_not_have_never_gets_in_silently(yard):
    yard.outcome()
    yard.outcome(Outcome.CORRECTED, [box_label(), box_label("ghost")])
    release = yard.freeze()
    assert release.total == 1
    assert release.summary["excluded"] == {"unknown_class": 1}
    assert release.summary["unknown_classes"] == {"ghost": 1}


def test_a_retired_class_keeps_its_index(yard):
    TaxonomyClass.objects.filter(name="dog").update(retired_at=NOW)
    yard.outcome(Outcome.CORRECTED, [box_label("dog")])
    release = yard.freeze()
    assert release.rows.get().content["labels"][0]["class"] == 2
    assert release.recipe["taxonomy"]["classes"][2] == {"index": 2, "name": "dog", "retired": True}


@pytest.mark.parametrize(
    "label, reason",
    [
        ({"class": "person"}, "no_box"),
        (box_label(box=(64, 0, 5, 5)), "bad_box"),
        (box_label(box=(1, 1, 0, 5)), "bad_box"),
        (box_label(box=(1, 1, float("1e308"), 5)), None),
        ({"class": "person", "polygon": [[1, 1], [2, 2]]}, "bad_box"),
    ],
)
def test_labels_without_an_area_in_the_picture_are_left_out(yard, label, reason):
    yard.outcome()
    yard.outcome(Outcome.CORRECTED, [label])
    assert yard.freeze().summary["excluded"] == ({reason: 1} if reason else {})


def test_boxes_are_cut_at_the_border_and_that_is_said(yard):
    yard.outcome(Outcome.CORRECTED, [box_label(box=(-5, 40, 20, 20))])
    release = yard.freeze()
    assert release.rows.get().content["labels"][0]["box"] == [0, 40, 15, 8]
    assert "clipped" in release.summary["warnings"]


def test_labels_are_scaled_to_a_picture_that_is_smaller_than_the_frame(yard):
    event = yard.event(frame=(640, 480))
    yard.outcome(Outcome.CORRECTED, [box_label(box=(100, 100, 200, 50))], event=event)
    assert yard.freeze().rows.get().content["labels"][0]["box"] == [10, 10, 20, 5]


def test_answers_on_the_same_bytes_that_agree_are_one_picture(yard):
    data = jpeg(7)
    yard.outcome(data=data)
    later = yard.outcome(
        Outcome.CORRECTED, [box_label(box=(8, 6, 20, 29.5))], data=data, decided_at=START + timedelta(days=2)
    )
    release = yard.freeze()
    assert release.rows.get().item == later
    assert len(release.rows.get().content["also"]) == 1
    assert release.summary["merged"] == 1


@pytest.mark.parametrize("other", [[], [box_label("dog")], [box_label(box=(8, 6, 20, 20))], [box_label(), box_label()]])
def test_answers_on_the_same_bytes_that_contradict_each_other_are_left_out_and_named(yard, other):
    yard.outcome()
    data = jpeg(7)
    events = {str(yard.outcome(data=data).event_id), str(yard.outcome(Outcome.CORRECTED, other, data=data).event_id)}
    release = yard.freeze()
    assert release.total == 1
    assert release.summary["excluded"] == {"contradiction": 2}
    assert {row["event"] for row in release.summary["left_out"]} == events


def test_who_judged_the_whole_picture_speaks_before_who_judged_a_part(yard):
    data, seen = jpeg(7), [prediction("p1"), prediction("p2", "dog", (40, 30, 10, 10))]
    whole = yard.outcome(data=data, labels=[box_label(), box_label("dog", (40, 30, 10, 10))], predictions=seen)
    yard.outcome(
        data=data,
        labels=[box_label(prediction="p1")],
        predictions=seen,
        subject=["p1"],
        complete=False,
        decided_at=START + timedelta(days=3),
    )
    assert yard.freeze().rows.get().item == whole


def test_a_part_that_rejects_what_the_whole_has_is_a_contradiction(yard):
    yard.outcome()
    data, seen = jpeg(7), [prediction("p1")]
    yard.outcome(data=data, predictions=seen)
    yard.outcome(Outcome.CORRECTED, [], data=data, predictions=seen, subject=["p1"], complete=False)
    assert yard.freeze().summary["excluded"] == {"contradiction": 2}


def test_queues_of_two_taxonomies_or_two_sites_do_not_go_together(yard):
    other = Taxonomy.objects.create(site=yard.site, slug="other", name="Other")
    assert refused(yard, queues=[yard.queue, yard.new_queue("second", other)]).code == "mixed_taxonomies"
    assert refused(yard, queues=[yard.queue, Yard(slug="harbour").queue]).code == "mixed_sites"
    assert refused(yard, queues=[]).code == "no_queues"


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"since": NOW, "until": START}, "bad_dates"),
        ({"formats": ["excel"]}, "unknown_format"),
        ({"formats": []}, "unknown_format"),
        ({"name": "x" * 121}, "name_too_long"),
    ],
)
def test_choices_that_cannot_be_are_refused(yard, changes, code):
    yard.outcome()
    assert refused(yard, **changes).code == code


def test_numbers_count_per_site_and_a_lost_race_takes_the_next_one(yard, monkeypatch):
    yard.outcome()
    assert [yard.freeze().number, yard.freeze().number] == [1, 2]
    real, calls = Release.objects.create, []

    def overtaken(**columns):
        calls.append(columns["number"])
        return real(**(columns | {"number": 2} if len(calls) == 1 else columns))

    monkeypatch.setattr(Release.objects, "create", overtaken)
    assert yard.freeze().number == 3
    assert len(calls) == 2


def test_what_was_in_a_split_stays_there(yard):
    for _ in range(30):
        yard.outcome()
    first = dict(yard.freeze().rows.values_list("evidence__sha256", "split"))
    assert set(first.values()) <= {"train", "val", "test"}
    for _ in range(10):
        yard.outcome()
    second = dict(yard.freeze(seed="another seed").rows.values_list("evidence__sha256", "split"))
    assert {digest: second[digest] for digest in first} == first
    assert SplitPin.objects.count() == 40


def test_a_near_duplicate_of_an_older_release_joins_its_split(yard):
    older = yard.outcome(camera="gate", at=0)
    yard.freeze()
    SplitPin.objects.update(split="test")
    newer = yard.outcome(camera="gate", at=30, decided_at=START + timedelta(days=2))
    yard.outcome(camera="gate", at=61, decided_at=START + timedelta(days=2))
    release = yard.freeze(since=older.decided_at + timedelta(hours=1))
    assert {row.split for row in release.rows.filter(event=newer.event)} == {"test"}
    assert release.summary["splits"]["train"]["pictures"] == 1


def test_a_new_picture_between_two_splits_is_left_out_and_named(yard):
    for place, split in enumerate(("train", "test")):
        item = yard.outcome(camera="gate", at=40 * place)
        SplitPin.objects.create(
            taxonomy=yard.taxonomy,
            sha256=item.event.evidence_rows.get().sha256,
            split=split,
            group=str(place) * 64,
        )
    bridge = yard.outcome(camera="gate", at=20)
    release = yard.freeze()
    assert release.total == 2
    assert release.summary["excluded"] == {"bridge": 1}
    assert release.summary["left_out"][0]["event"] == str(bridge.event_id)


def test_two_splits_for_one_row_are_refused_by_the_database(yard):
    yard.outcome()
    release = yard.freeze()
    row = release.rows.get()
    row.pk, row.position = None, 7
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    assert ReleaseRow.objects.filter(release=release).count() == 1


def test_short_names_that_would_be_equal_become_long():
    alike = ["a" * 16 + "b" * 48, "a" * 16 + "c" * 48]
    assert file_names([*alike, "d" * 64]) == {alike[0]: alike[0], alike[1]: alike[1], "d" * 64: "d" * 16}


def test_the_number_of_queries_does_not_grow_with_the_pictures(yard, django_assert_max_num_queries):
    for _ in range(25):
        yard.outcome()
    with django_assert_max_num_queries(40):
        yard.freeze()


def test_only_a_failed_release_is_built_again(yard, monkeypatch):
    yard.outcome()
    release = yard.freeze()
    with pytest.raises(Conflict):
        rebuild_release(release=release, person=yard.person, now=NOW)
    monkeypatch.setattr(building, "upright_jpeg", lambda data: data[:0])
    assert building.build(release.pk).state == ReleaseState.FAILED
    monkeypatch.undo()
    rebuild_release(release=release, person=yard.person, now=NOW)
    assert building.build(release.pk).state == ReleaseState.READY
    assert AuditEntry.objects.filter(verb="release.rebuilt", actor=yard.person).count() == 1


def test_abandoned_builds_are_enqueued_again_once_a_minute(yard, django_capture_on_commit_callbacks):
    backend = task_backends["default"]
    yard.outcome()
    release = yard.freeze()
    backend.clear()
    with django_capture_on_commit_callbacks(execute=True):
        assert resume_stuck(now=release.touched_at + timedelta(seconds=60)) == []
        later = release.touched_at + timedelta(seconds=61)
        assert resume_stuck(now=later) == [release.pk]
        assert resume_stuck(now=later + timedelta(seconds=30)) == []
    assert len(backend.results) == 1


def test_a_ready_release_is_left_alone(yard):
    yard.outcome()
    release = yard.built()
    assert resume_stuck(now=release.touched_at + timedelta(days=1)) == []


def test_make_release_keeps_who_made_it(yard):
    yard.outcome()
    release = make_release(person=yard.person, site=yard.site, queues=[yard.queue], now=NOW)
    assert release.created_by == yard.person
