"""Classes: added, renamed and retired; their indexes are permanent, and so is what was answered."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from review import names
from review.actions import taxonomies
from review.actions.circumstances import in_force
from review.actions.policies import publish
from review.desk import event_payload
from review.models import Answer, FormerName, ParkingCause, TaxonomyClass, Verdict
from review.releases.labels import Canvas, judge
from review.releases.recipe import classes_of
from tests import factories
from tests.conftest import AtOnce
from tests.factories import CLASSES, Place, post


def class_named(place: Place, name: str) -> TaxonomyClass:
    return place.taxonomy.classes.get(name=name)


def change(place: Place, person: User, which: str, **look: Any) -> TaxonomyClass:
    row = class_named(place, which)
    said: dict[str, Any] = {"name": which, "key": row.key, "colour": row.colour} | look
    return taxonomies.change_class(taxonomy=place.taxonomy, pk=row.pk, person=person, now=timezone.now(), **said)


def version(place: Place) -> int:
    place.taxonomy.refresh_from_db()
    return place.taxonomy.version


def test_added_classes_go_to_the_end_under_the_next_version(place: Place, supervisor: User) -> None:
    made = taxonomies.add_classes(taxonomy=place.taxonomy, wanted=["newt", "toad"], person=supervisor)
    assert [row.index for row in made] == [len(CLASSES), len(CLASSES) + 1]
    assert version(place) == 2
    assert [entry.additional_data["version"] for entry in AuditEntry.objects.filter(verb="class.added")] == [2, 2]


@pytest.mark.parametrize("name", ["", " bird", "a\nb", "a\0b", "\ud800", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(place: Place, supervisor: User, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        taxonomies.append_class(taxonomy=place.taxonomy, name=name, person=supervisor)
    assert refused.value.code == "bad_class_name"
    assert version(place) == 1


def test_a_name_once_used_is_never_given_to_another_class(place: Place, supervisor: User) -> None:
    change(place, supervisor, "bird", name="fowl")
    for take in (
        lambda: taxonomies.append_class(taxonomy=place.taxonomy, name="bird", person=supervisor),
        lambda: taxonomies.append_class(taxonomy=place.taxonomy, name="fowl", person=supervisor),
        lambda: change(place, supervisor, "car", name="bird"),
        lambda: change(place, supervisor, "car", name="fowl"),
    ):
        with pytest.raises(Conflict) as refused:
            take()
        assert refused.value.code == "class_name_used"
    change(place, supervisor, "fowl", name="bird")
    assert class_named(place, "bird").index == CLASSES.index("bird")
    names.forget()
    assert names.class_names(place.site.pk, "", place.taxonomy.pk) == {"fowl": "bird"}


def test_the_database_gives_a_former_name_one_class(place: Place, supervisor: User) -> None:
    change(place, supervisor, "bird", name="fowl")
    with pytest.raises(IntegrityError), transaction.atomic():
        FormerName.objects.create(
            taxonomy=place.taxonomy, named=class_named(place, "car"), name="bird", until=timezone.now()
        )


def test_after_a_rename_the_models_word_means_the_class_and_labels_keep_the_index(
    place: Place, supervisor: User, operator: User
) -> None:
    post(place), post(place)
    before = factories.give_answer(factories.claim(place, operator)).verdict
    change(place, supervisor, "bird", name="fowl")
    claim = factories.claim(place, operator)
    shown = event_payload(claim.item.event, place.taxonomy.pk)["predictions"][0]
    assert (shown["class"], shown["said"]) == ("fowl", "bird")
    after = factories.give_answer(claim).verdict
    assert [label["class"] for label in before.labels] == ["bird", "person"]
    assert [label["class"] for label in after.labels] == ["fowl", "person"]
    assert [[label["index"] for label in one.labels] for one in (before, after)] == [[1, 0], [1, 0]]
    assert not post(place).event.parkings.exists()


def test_a_desk_that_was_open_before_the_rename_may_say_the_old_name(
    place: Place, supervisor: User, operator: User
) -> None:
    post(place)
    claim = factories.claim(place, operator)
    change(place, supervisor, "bird", name="fowl")
    label = {"class": "bird", "box": [1, 1, 9, 9]}
    verdict = factories.give_answer(claim, "correct", labels=[label]).verdict
    assert (verdict.labels[0]["class"], verdict.labels[0]["index"]) == ("fowl", 1)


def test_a_release_puts_labels_from_before_and_after_a_rename_into_one_class(place: Place, supervisor: User) -> None:
    event = post(place).event
    change(place, supervisor, "bird", name="fowl")
    canvas, box = Canvas.of(event, 320, 240), [1, 1, 9, 9]
    for said in (
        {"class": "bird"},
        {"class": "fowl"},
        {"class": "bird", "index": 1},
        {"class": "anything", "index": 1},
    ):
        verdict = Verdict(answer=Answer.CORRECT, complete=True, labels=[said | {"box": box, "prediction": "p1"}])
        judged = judge(verdict, event, classes_of(place.taxonomy), canvas)
        assert [label.class_index for label in judged.labels] == [1]
        assert judged.rejected == ()


def test_rules_go_on_matching_by_the_former_and_by_the_new_name(place: Place, supervisor: User) -> None:
    change(place, supervisor, "bird", name="fowl")
    assert post(place).event.items.get().reason["low"] == 0.25
    band = {"classes": ["fowl"], "bands": {"fowl": [0.4, 0.5]}}
    rows = [{"name": "new name", "queue": place.queue, **band}, {"name": "rest", "queue": None}]
    publish(site=place.site, rules=rows, person=None, reason="test", now=timezone.now())
    assert post(place).event.items.get().reason["low"] == 0.4


def test_a_map_follows_the_class_that_it_points_to(place: Place, supervisor: User) -> None:
    from review.actions.mapping import map_name

    map_name(
        site=place.site,
        cause=ParkingCause.CLASS,
        value="pigeon",
        target="bird",
        person=supervisor,
        now=timezone.now(),
    )
    change(place, supervisor, "bird", name="fowl")
    pigeon = [{"id": "p1", "class": "pigeon", "confidence": 0.5, "box": [1, 1, 5, 5]}]
    event = post(place, predictions=pigeon).event
    assert event.items.exists()
    assert event_payload(event)["predictions"][0]["class"] == "fowl"


def test_a_retired_class_keeps_its_index_and_is_no_answer(place: Place, supervisor: User, operator: User) -> None:
    change(place, supervisor, "bird", key="4", colour=7)
    row = class_named(place, "bird")
    taxonomies.retire_class(taxonomy=place.taxonomy, pk=row.pk, person=supervisor, now=timezone.now())
    post(place)
    claim = factories.claim(place, operator)
    with pytest.raises(Invalid) as refused:
        factories.give_answer(claim)
    assert refused.value.code == "unknown_class"
    with pytest.raises(Conflict):
        taxonomies.retire_class(taxonomy=place.taxonomy, pk=row.pk, person=supervisor, now=timezone.now())
    taxonomies.restore_class(taxonomy=place.taxonomy, pk=row.pk, person=supervisor)
    row.refresh_from_db()
    assert (row.index, row.key, row.colour, row.retired_at) == (1, "", 7, None)
    assert factories.give_answer(claim).created


def test_a_key_goes_to_the_class_that_it_was_given_to_last(place: Place, supervisor: User) -> None:
    change(place, supervisor, "bird", key="4")
    change(place, supervisor, "car", key="4")
    assert [class_named(place, name).key for name in ("bird", "car")] == ["", "4"]
    for wrong in ({"key": "0"}, {"key": "x"}, {"colour": 9}):
        with pytest.raises(Invalid):
            change(place, supervisor, "car", **wrong)


def test_a_class_of_another_taxonomy_is_none(place: Place, elsewhere: Place, supervisor: User) -> None:
    theirs = class_named(elsewhere, "bird")
    with pytest.raises(Invalid) as refused:
        taxonomies.retire_class(taxonomy=place.taxonomy, pk=theirs.pk, person=supervisor, now=timezone.now())
    assert refused.value.code == "unknown_class"


def test_a_verdict_records_the_version_in_force(place: Place, supervisor: User) -> None:
    item = factories.make_item(place)
    before = in_force(item)["taxonomy"]
    change(place, supervisor, "bird", name="fowl")
    item.queue.taxonomy.refresh_from_db()
    after = in_force(item)["taxonomy"]
    assert (before["version"], after["version"]) == (1, 2)
    assert before["sha256"] != after["sha256"]


@pytest.mark.django_db(transaction=True)
def test_two_who_add_at_once_get_indexes_of_their_own(place: Place, supervisor: User, at_once: AtOnce) -> None:
    def add(number: int) -> int:
        return taxonomies.append_class(taxonomy=place.taxonomy, name=f"class {number}", person=supervisor).index

    assert sorted(at_once(4, add)) == [len(CLASSES) + n for n in range(4)]
    assert version(place) == 5
