"""The taxonomy of a queue is fixed, whoever asks."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.exceptions import Invalid
from review import fixed
from review.actions.setup import create_queue, create_taxonomy
from review.models import Queue, Taxonomy
from review.triggers import after_migrate
from tests.factories import Place


@pytest.fixture
def second(place: Place) -> Taxonomy:
    return create_taxonomy(site=place.site, slug="second", name="Second", classes=["bird", "person"], maker=None)


def test_the_database_refuses_another_taxonomy(place: Place, second: Taxonomy) -> None:
    first = place.queue.taxonomy_id
    with pytest.raises(IntegrityError, match="keeps its taxonomy"), transaction.atomic():
        Queue.objects.filter(pk=place.queue.pk).update(taxonomy=second)
    place.queue.taxonomy = second
    with pytest.raises(IntegrityError, match="keeps its taxonomy"), transaction.atomic():
        place.queue.save()
    place.queue.refresh_from_db()
    assert place.queue.taxonomy_id == first


def test_everything_else_of_a_queue_is_saved_as_ever(place: Place) -> None:
    place.queue.name = "Renamed"
    place.queue.save()
    assert Queue.objects.get(pk=place.queue.pk).name == "Renamed"


def test_the_trigger_is_made_again_where_a_migration_lost_it(place: Place, second: Taxonomy) -> None:
    fixed.TRIGGER.drop(connection)
    assert not fixed.TRIGGER.is_present(connection)
    after_migrate(using=connection.alias)
    after_migrate(using=connection.alias)
    with pytest.raises(IntegrityError), transaction.atomic():
        Queue.objects.update(taxonomy=second)


def test_a_queue_is_not_made_with_the_classes_of_another_site(place: Place, elsewhere: Place) -> None:
    with pytest.raises(Invalid) as refused:
        create_queue(site=place.site, slug="x", name="X", taxonomy=elsewhere.taxonomy, maker=None, now=timezone.now())
    assert refused.value.code == "unknown_taxonomy"
    assert not Queue.objects.filter(slug="x").exists()
