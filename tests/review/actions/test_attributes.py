"""What people say about things besides their class: defined by class, and checked in every answer."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.exceptions import Conflict, Invalid
from accounts.models import AuditEntry, User
from review.actions.attributes import define_attribute, retire_attribute
from review.desk import class_list, payload
from review.models import ClassAttribute, TaxonomyClass
from tests import factories
from tests.factories import Place, claim, give_answer, make_item

BIRD = {"class": "bird", "box": [20.0, 12.0, 18.0, 24.0]}


@pytest.fixture
def bird(place: Place) -> TaxonomyClass:
    return place.taxonomy.classes.get(name="bird")


def define(place: Place, person: User, of: TaxonomyClass, *values: str, required: bool = False) -> ClassAttribute:
    return define_attribute(
        taxonomy=place.taxonomy,
        pk=of.pk,
        name="colour" if values else "damaged",
        values=values,
        required=required,
        person=person,
    )


def correct(place: Place, person: User, attributes: dict[str, Any], **more: Any) -> Any:
    make_item(place, **more)
    labels = [BIRD | {"attributes": attributes}]
    return give_answer(claim(place, person), "correct", labels=labels, complete=True).verdict


def test_an_answer_says_what_its_class_asks(
    place: Place, supervisor: User, operator: User, bird: TaxonomyClass
) -> None:
    define(place, supervisor, bird, "red", "blue")
    define(place, supervisor, bird)
    said = correct(place, operator, {"colour": "blue", "damaged": False}).labels
    assert said[0]["attributes"] == {"colour": "blue", "damaged": False}
    place.taxonomy.refresh_from_db()
    assert place.taxonomy.version == 3


@pytest.mark.parametrize(
    ("attributes", "code", "path"),
    [
        ({}, "attribute_required", "colour"),
        ({"colour": "green"}, "bad_attribute_value", "colour"),
        ({"colour": True}, "bad_attribute_value", "colour"),
        ({"colour": "red", "damaged": "yes"}, "bad_attribute_value", "damaged"),
        ({"colour": "red", "damaged": 1}, "bad_attribute_value", "damaged"),
        ({"colour": "red", "weight": 2}, "unknown_attribute", "weight"),
    ],
)
def test_what_its_class_does_not_know_is_refused_with_its_path(
    place: Place,
    supervisor: User,
    operator: User,
    bird: TaxonomyClass,
    attributes: dict[str, Any],
    code: str,
    path: str,
) -> None:
    define(place, supervisor, bird, "red", "blue", required=True)
    define(place, supervisor, bird)
    with pytest.raises(Invalid) as refused:
        correct(place, operator, attributes)
    assert refused.value.code == code
    assert refused.value.members["errors"][0]["path"] == f"$.labels[0].attributes.{path}"


def test_a_class_that_asks_nothing_takes_what_is_said(place: Place, operator: User) -> None:
    assert correct(place, operator, {"weight": 2.5}).labels[0]["attributes"] == {"weight": 2.5}


def test_confirming_takes_from_the_model_what_the_class_knows(
    place: Place, supervisor: User, operator: User, bird: TaxonomyClass
) -> None:
    define(place, supervisor, bird, "red", "blue", required=True)
    prediction = BIRD | {"id": "p1", "confidence": 0.5}
    said = {"colour": "red", "weight": 2}
    make_item(place, predictions=[prediction | {"attributes": said}], subject=["p1"])
    verdict = give_answer(claim(place, operator), complete=True).verdict
    assert verdict.labels[0]["attributes"] == {"colour": "red"}
    make_item(place, predictions=[prediction | {"attributes": {"colour": "pink"}}], subject=["p1"])
    with pytest.raises(Invalid) as refused:
        give_answer(claim(place, operator), complete=True)
    assert refused.value.code == "attribute_required"
    assert refused.value.members["errors"][0]["path"] == "$.labels.attributes.colour"


def test_confirming_may_say_more_than_the_model_and_nothing_else(
    place: Place, supervisor: User, operator: User, bird: TaxonomyClass
) -> None:
    define(place, supervisor, bird, "red", "blue", required=True)
    define(place, supervisor, bird)
    prediction = BIRD | {"id": "p1", "confidence": 0.5, "attributes": {"colour": "red", "sub_label": "x"}}
    make_item(place, predictions=[prediction], subject=["p1"])
    taken = claim(place, operator)
    [shown] = payload(taken, operator, timezone.now())["event"]["predictions"]
    assert shown["attributes"] == {"colour": "red"}
    other = [{"class": "bird", "prediction": "p1", "attributes": {"colour": "blue"}}]
    with pytest.raises(Invalid) as refused:
        give_answer(taken, labels=other, complete=True)
    assert refused.value.code == "labels_do_not_confirm"
    more = [{"class": "bird", "prediction": "p1", "attributes": {"colour": "red", "damaged": True}}]
    verdict = give_answer(taken, labels=more, complete=True).verdict
    assert verdict.labels[0]["attributes"] == {"colour": "red", "damaged": True}
    assert taken.item.__class__.objects.get().outcome == "confirmed"


def test_values_are_added_and_never_taken_away(place: Place, supervisor: User, bird: TaxonomyClass) -> None:
    define(place, supervisor, bird, "red", "blue")
    assert define(place, supervisor, bird, "red", "blue", "green").values == ["red", "blue", "green"]
    for fewer in (("red", "green"), ("blue", "red", "green"), ("red",)):
        with pytest.raises(Invalid) as refused:
            define(place, supervisor, bird, *fewer)
        assert refused.value.code == "values_gone"
    for bad in (("red", "red"), (" red",), ("red", ""), ("x" * 61,), ("a\nb",)):
        with pytest.raises(Invalid) as refused:
            define(place, supervisor, bird, *bad)
        assert refused.value.code == "bad_attribute"
    assert ClassAttribute.objects.count() == 1


def test_a_retired_attribute_is_asked_no_more_and_what_still_comes_with_it_is_kept(
    place: Place, supervisor: User, operator: User, bird: TaxonomyClass
) -> None:
    define(place, supervisor, bird, "red", "blue", required=True)
    retire_attribute(taxonomy=place.taxonomy, pk=bird.pk, name="colour", person=supervisor, now=timezone.now())
    with pytest.raises(Conflict):
        retire_attribute(taxonomy=place.taxonomy, pk=bird.pk, name="colour", person=supervisor, now=timezone.now())
    assert not any(row["attributes"] for row in class_list(place.queue))
    assert correct(place, operator, {}).labels[0]["attributes"] == {}
    assert correct(place, operator, {"colour": "red"}).labels[0]["attributes"] == {"colour": "red"}
    define(place, supervisor, bird, "red", "blue")
    [asked] = [row["attributes"] for row in class_list(place.queue) if row["attributes"]]
    assert asked == [{"name": "colour", "values": ["red", "blue"], "required": False}]


def test_a_name_stands_once_in_a_class(place: Place, supervisor: User, bird: TaxonomyClass) -> None:
    define(place, supervisor, bird)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClassAttribute.objects.create(of=bird, name="damaged")


def test_they_are_kept_on_the_page_of_the_taxonomy(
    place: Place, elsewhere: Place, supervisor: User, bird: TaxonomyClass
) -> None:
    client = Client()
    factories.sign_in(client, supervisor)
    page = f"/taxonomies/{place.taxonomy.pk}/"
    fields = {"class_id": bird.pk, "name": "colour", "values": "red\r\nblue\r\n", "required": "on"}
    client.post(f"{page}attributes/", fields)
    made = ClassAttribute.objects.get()
    assert (made.of, made.values, made.required) == (bird, ["red", "blue"], True)
    assert "red, blue" in client.get(page).content.decode()
    assert "values-" in client.get(f"{page}?class={bird.index}").content.decode()
    client.post(f"{page}attributes/", fields | {"retire": "1"})
    made.refresh_from_db()
    assert made.retired_at is not None
    assert set(AuditEntry.objects.filter(verb__startswith="attribute.").values_list("verb", flat=True)) == {
        "attribute.defined",
        "attribute.retired",
    }
    theirs = elsewhere.taxonomy.classes.get(name="bird")
    client.post(f"{page}attributes/", fields | {"class_id": theirs.pk, "name": "shape"})
    assert client.post(f"/taxonomies/{elsewhere.taxonomy.pk}/attributes/", fields).status_code == 404
    assert ClassAttribute.objects.count() == 1
