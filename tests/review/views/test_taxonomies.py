"""The pages of taxonomies."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from review.actions.taxonomies import add_classes
from review.models import Taxonomy
from tests.factories import CLASSES, Place

XSS = "<script>alert(1)</script>"


@pytest.fixture
def page(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


def test_a_taxonomy_is_made_from_pasted_lines(page: Client, place: Place) -> None:
    said = {"site": str(place.site.pk), "name": "Newts", "classes": f"newt\r\n\n toad \nnewt\n{XSS}"}
    answer = page.post("/taxonomies/", said, follow=True)
    made = Taxonomy.objects.get(name="Newts")
    assert list(made.classes.values_list("index", "name")) == [(0, "newt"), (1, "toad"), (2, XSS)]
    assert XSS not in answer.content.decode()


def test_a_taxonomy_is_made_from_a_model_version(page: Client, place: Place) -> None:
    said = {"site": str(place.site.pk), "name": "Of the model", "model": str(place.model.pk)}
    page.post("/taxonomies/", said)
    assert list(Taxonomy.objects.get(name="Of the model").classes.values_list("name", flat=True)) == CLASSES


def test_what_cannot_be_made_says_why(page: Client, place: Place, elsewhere: Place) -> None:
    said = {"site": str(place.site.pk), "name": "None"}
    assert "Name at least one class" in page.post("/taxonomies/", said).content.decode()
    assert page.post("/taxonomies/", said | {"site": str(elsewhere.site.pk), "classes": "x"}).status_code == 422
    assert page.post("/taxonomies/", said | {"model": str(elsewhere.model.pk)}).status_code == 422
    assert not Taxonomy.objects.filter(name="None").exists()


def test_a_class_is_renamed_in_the_browser(page: Client, place: Place) -> None:
    url = f"/taxonomies/{place.taxonomy.pk}/"
    assert 'value="bird"' in page.get(f"{url}?class=1").content.decode()
    bird = place.taxonomy.classes.get(index=1)
    said = {"class_id": bird.pk, "act": "change", "name": "fowl", "key": "3", "colour": "2"}
    answer = page.post(f"{url}change/", said, follow=True).content.decode()
    assert "fowl was saved" in answer
    bird.refresh_from_db()
    assert (bird.name, bird.key, bird.colour) == ("fowl", "3", 2)
    for wrong in ({"name": "car"}, {"key": "x"}, {"class_id": "x"}, {"act": "delete"}, {"name": "a\0b"}):
        page.post(f"{url}change/", said | wrong)
    bird.refresh_from_db()
    assert bird.name == "fowl"


def test_five_hundred_classes_take_no_more_queries(
    page: Client, place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_classes(taxonomy=place.taxonomy, wanted=[f"class {n}" for n in range(500)], person=None)
    url = f"/taxonomies/{place.taxonomy.pk}/"
    page.get(url)
    with django_assert_max_num_queries(14):
        assert "class 499" in page.get(url).content.decode()
