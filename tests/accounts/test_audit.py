"""The audit trail: inside the transaction of what it tells, and in words for every verb."""

import ast
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, Session, User
from accounts.seal.sealer import seal
from accounts.sentences import VERBS, plain, sentence
from accounts.trail.filters import Asked, entries, streams
from accounts.trail.paging import page_of
from review.models import Claim, Item
from tests.factories import CLASSES, Place, claim, give_answer, make_item

PACKAGES = ("accounts", "inference", "review", "deploy")


def verbs_in_code() -> set[str]:
    """The verbs of every `audit.record(...)`, and of helpers that hand theirs on."""
    found = set()
    for package in PACKAGES:
        for path in (Path(settings.BASE_DIR) / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and name_of(node.func).startswith("record"):
                    strings = [value for value in ast.walk(node) if isinstance(value, ast.Constant)]
                    words = [s.value for s in strings if isinstance(s.value, str)]
                    found |= {
                        word
                        for word in words
                        if word.count(".") == 1
                        and word.replace(".", "").replace("_", "").isalpha()
                        and not word.endswith((".zip", ".json"))
                    }
    return found


def name_of(function: ast.expr) -> str:
    """How a call names its function: `audit.record` and helpers such as `record_claim`."""
    return str(getattr(function, "attr", "") or getattr(function, "id", ""))


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
    assert "the thing" in said or "%(what)s" not in VERBS[verb]


def test_an_unknown_verb_is_shown_as_it_is() -> None:
    assert "never.heard" in sentence(AuditEntry(verb="never.heard", object_repr="x"))


@pytest.mark.parametrize("note", ["100 % sure", "%(who)s", "<script>alert(1)</script>", "{{ 7 }}"])
def test_what_people_typed_is_never_a_template(place: Place, operator: User, supervisor: User, note: str) -> None:
    from django.utils import timezone

    from review.actions.moves import escalate

    make_item(place)
    escalate(claim=claim(place, operator), to=None, note=note, now=timezone.now())
    entry = AuditEntry.objects.get(verb="item.escalated")
    assert note in sentence(entry)
    client = Client()
    client.force_login(supervisor)
    page = client.get("/audit/").content.decode()
    assert "<script>alert" not in page
    assert entry.object_repr in page


def page_as(reader: User, address: str = "/audit/", /, **asked: str) -> str:
    client = Client()
    client.force_login(reader)
    answer = client.get(address, asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_filters_by_kind_person_object_and_time(place: Place, operator: User, supervisor: User) -> None:
    item = make_item(place)
    give_answer(claim(place, operator))
    assert "answered “" in page_as(supervisor, kind="answers", person="ol")
    assert "answered “" not in page_as(supervisor, kind="answers", person="nobody")
    assert "answered “" not in page_as(supervisor, kind="releases")
    assert "answered “" in page_as(supervisor, object=f"http://localhost/events/{item.event_id}/")
    assert "answered “" in page_as(supervisor, object=str(item.pk))
    assert "answered “" in page_as(supervisor, object=str(claim_of(item)))
    assert "answered “" not in page_as(supervisor, object=str(uuid4()))
    assert "answered “" in page_as(supervisor, site=str(place.site.pk), **{"from": "2020-01-01T00:00"})
    assert "answered “" not in page_as(supervisor, to="2020-01-01")


def claim_of(item: Item) -> UUID:
    return Claim.objects.get(item=item).pk


@pytest.mark.parametrize(
    "strange",
    [
        {"from": "9999-99-99"},
        {"to": "x"},
        {"from": "0001-01-01"},
        {"to": "9999-12-31"},
        {"before": "٣"},
        {"after": "-1"},
        {"before": "9" * 30},
        {"site": "x"},
        {"object": "%%%"},
        {"person": "' OR 1=1 --"},
        {"kind": "nothing"},
        {"person": "x" * 5000},
    ],
)
def test_strange_filters_are_no_crash(supervisor: User, strange: dict[str, str]) -> None:
    page_as(supervisor, **strange)


@pytest.mark.parametrize("asked", [{}, {"kind": "people"}])
def test_pages_go_both_ways_and_leave_nothing_out(
    place: Place, supervisor: User, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        for _number in range(7):
            audit.record("person.created", actor=supervisor, on=supervisor, site_id=place.site.pk)
    wanted = list(entries(supervisor, Asked.of(asked)).order_by("-id").values_list("pk", flat=True))
    streamed = streams(supervisor, Asked.of(asked))
    down, page = [], page_of(streamed, size=3)
    while True:
        down += [entry.pk for entry in page.entries]
        if page.older is None:
            break
        page = page_of(streamed, before=page.older, size=3)
    assert down == wanted
    up = [entry.pk for entry in page.entries]
    while page.newer is not None:
        page = page_of(streamed, after=page.newer, size=3)
        up = [entry.pk for entry in page.entries] + up
    assert up == wanted


def test_the_choices_hold_nothing_of_another_site(place: Place, elsewhere: Place, supervisor: User) -> None:
    page = page_as(supervisor)
    assert str(place.site.pk) in page
    assert str(elsewhere.site.pk) not in page
    assert elsewhere.queue.name not in page


def test_looking_for_a_person_is_a_search_and_going_on_is_not(supervisor: User) -> None:
    page_as(supervisor, person="olu")
    page_as(supervisor, person="olu", before="5")
    entry = AuditEntry.objects.get(verb="search.made")
    assert (entry.additional_data or {})["filter"] == {"person": "olu"}


def test_an_entry_says_who_it_was_then_and_how_he_came_in(place: Place, supervisor: User) -> None:
    page_as(supervisor, person="olu")
    entry = AuditEntry.objects.get(verb="search.made")
    then = entry.circumstances or {}
    session = next(iter(Session.objects.all())).pk
    assert (then["name"], then["username"], then["door"]) == ("Sam", "sam", "page")
    assert "methods" in then["sign_in"]
    assert session not in str(then)
    User.objects.filter(pk=supervisor.pk).update(name="Renamed")
    entry.refresh_from_db()
    assert sentence(entry).startswith("Sam ")


def test_a_verdict_leaves_all_that_was_in_force(place: Place, operator: User) -> None:
    make_item(place)
    verdict = give_answer(claim(place, operator)).verdict
    entry = AuditEntry.objects.get(verb="verdict.given")
    facts, then = entry.additional_data or {}, entry.circumstances or {}
    assert then["roles"] == ["operator:site"]
    assert (facts["key"], facts["claim"]) == (str(verdict.key), str(verdict.claim_id))
    assert (facts["policy_version"], facts["rule"], facts["agrees"]) == (1, "unsure", True)
    assert facts["taxonomy"]["classes"] == len(CLASSES)
    assert facts["thresholds"] == {"person": 0.6}
    assert entry.subject_id == verdict.item.event_id


def test_the_story_of_an_event_holds_all_around_it(
    place: Place, operator: User, supervisor: User, outsider: User
) -> None:
    event = make_item(place).event
    give_answer(claim(place, operator))
    address = f"/audit/story/{event.pk}/"
    told = page_as(supervisor, address)
    for words in ("Received from", "Routed", "took item", "looked at", "answered"):
        assert words in told, words
    client = Client()
    client.force_login(outsider)
    assert client.get(address).status_code == 404
    assert client.get(address).status_code == 404
    assert "Out was refused" in page_as(supervisor, address)


def test_the_story_of_a_person_is_what_the_reader_may_know(operator: User, outsider: User, supervisor: User) -> None:
    address = f"/audit/story/{operator.public_id}/"
    assert "Olu" in page_as(supervisor, address)
    client = Client()
    client.force_login(outsider)
    assert client.get(address).status_code == 404


def test_one_entry_shows_its_facts_and_its_proof(place: Place, operator: User, supervisor: User) -> None:
    make_item(place)
    give_answer(claim(place, operator))
    pk = AuditEntry.objects.get(verb="verdict.given").pk
    client = Client()
    client.force_login(supervisor)
    assert "Not sealed yet" in page_as(supervisor, f"/audit/{pk}/")
    assert client.get(f"/audit/{pk}/proof.json").status_code == 409
    seal(now=timezone.now())
    assert "still as it was written" in page_as(supervisor, f"/audit/{pk}/")
    assert client.get(f"/audit/{pk}/proof.json").json()["format"] == "secondlook-proof/1"
    AuditEntry.objects.filter(pk=pk).update(verb="verdict.undone")
    assert "No longer what was sealed" in page_as(supervisor, f"/audit/{pk}/")


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
