"""Where people land before anything has come, and after."""

from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from inference.models import Source
from tests.factories import Place, give_role, make_person, post, sign_in


def test_who_sets_up_sees_what_is_left_until_the_first_event(place: Place) -> None:
    person = make_person("fay", Role.FLEET_ENGINEER, place.site)
    client = Client()
    sign_in(client, person)
    assert client.get("/")["Location"] == "/sources/"
    give_role(person, Role.SUPERVISOR, place.site)
    page = client.get("/").content.decode()
    assert page.count("data-done") == 3
    assert "/sources/connect/" in page
    assert f'button--primary" href="/sources/{place.source.pk}/"' in page
    Source.objects.filter(pk=place.source.pk).update(revoked_at=timezone.now())
    page = client.get("/").content.decode()
    assert (page.count("data-done"), 'button--primary" href="/sources/connect/"' in page) == (2, True)
    post(place)
    assert client.get("/")["Location"] == "/queues/"


def test_whoever_only_answers_lands_on_the_queues(place: Place, operator: User) -> None:
    client = Client()
    sign_in(client, operator)
    assert client.get("/")["Location"] == "/queues/"
