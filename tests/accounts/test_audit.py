"""The audit trail: inside the transaction of what it tells, and in words for every verb."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts import audit
from accounts.models import AuditEntry, User
from accounts.sentences import VERBS, plain, sentence
from tests.factories import Place, claim, give_answer, make_item

PACKAGES = ("accounts", "inference", "review", "deploy")


def verbs_in_code() -> set[str]:
    """The verbs of every `audit.record(...)`, and of helpers that hand theirs on."""
    found = set()
    for package in PACKAGES:
        for path in (Path(settings.BASE_DIR) / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "record":
                    strings = [value for value in ast.walk(node) if isinstance(value, ast.Constant)]
                    words = [s.value for s in strings if isinstance(s.value, str)]
                    found |= {
                        word
                        for word in words
                        if word.count(".") == 1 and word.replace(".", "").replace("_", "").isalpha()
                    }
    return found


def test_every_verb_in_code_has_its_sentence_and_the_other_way_round() -> None:
    assert verbs_in_code() == set(VERBS)


def test_an_entry_needs_the_transaction_of_what_it_tells(transactional_db: None) -> None:
    person = User.objects.create_user("p")
    with pytest.raises(RuntimeError, match="needs the transaction"):
        audit.record("person.created", actor=None, on=person)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_sentence_is_whole_even_when_facts_are_missing(verb: str) -> None:
    said = sentence(AuditEntry(verb=verb, object_repr="the thing"))
    assert "%(" not in said
    assert (
        "the thing" in said
        or verb in {"thumbnails.seen", "release.downloaded", "class.added", "mapping.resolved"}
        or "–" in said
    )


def test_an_unknown_verb_is_shown_as_it_is() -> None:
    assert "never.heard" in sentence(AuditEntry(verb="never.heard", object_repr="x"))


@pytest.mark.parametrize("note", ["100 % sure", "%(who)s", "<script>alert(1)</script>", "{{ 7 }}"])
def test_what_people_typed_is_never_a_template(place: Place, operator: User, supervisor: User, note: str) -> None:
    from django.utils import timezone

    from review.actions.claims import escalate

    make_item(place)
    escalate(claim=claim(place, operator), to=None, note=note, now=timezone.now())
    entry = AuditEntry.objects.get(verb="item.escalated")
    assert note in sentence(entry)
    client = Client()
    client.force_login(supervisor)
    page = client.get("/audit/").content.decode()
    assert "<script>alert" not in page
    assert entry.object_repr in page


def test_the_page_filters_and_goes_on(place: Place, operator: User, supervisor: User) -> None:
    make_item(place)
    give_answer(claim(place, operator))
    client = Client()
    client.force_login(supervisor)
    assert "answered" in client.get("/audit/", {"verb": "verdict.given", "person": "olu"}).content.decode()
    assert "answered “" not in client.get("/audit/", {"verb": "verdict.given", "person": "nobody"}).content.decode()
    for strange in (
        {"from": "9999-99-99"},
        {"to": "x"},
        {"from": "0001-01-01"},
        {"to": "9999-12-31"},
        {"cursor": "٣"},
        {"cursor": "-1"},
    ):
        assert client.get("/audit/", strange).status_code == 200, strange


def test_a_page_of_a_hundred_costs_no_more_than_one_of_two(
    place: Place, supervisor: User, django_assert_max_num_queries: object
) -> None:
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(supervisor)
    client.get("/audit/")

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/audit/")
        return len(queries)

    few = cost()
    with transaction.atomic():
        for _number in range(90):
            audit.record("person.created", actor=supervisor, on=supervisor, site_id=place.site.pk)
    assert cost() == few


def test_classes_that_come_several_times_are_counted_in_a_sentence() -> None:
    assert plain(["person", "truck", "person", "person"]) == "person ×3, truck"


def test_codes_and_figures_read_as_on_the_pages() -> None:
    assert plain("bad_image") == "bad picture"
    assert plain([["bird", 0.41951]]) == "bird 0.42"


def test_facts_that_are_objects_have_words_too() -> None:
    assert plain({"queues": ["a", "b"], "excluded": {}}) == "queues a, b, excluded nothing"
