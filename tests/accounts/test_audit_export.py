"""Exports of the trail: by right, with a purpose, safe in a spreadsheet, and provable."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions.exports import AT_ONCE, TooManyExports, export_entries
from accounts.exceptions import Invalid, Refused
from accounts.models import AuditEntry, Lease, User
from accounts.roles import Role
from accounts.seal.sealer import seal
from accounts.trail.export import COLUMNS
from accounts.trail.filters import Asked
from accounts.trail.spreadsheet import DANGEROUS, cell, text_of
from tests.factories import Place, claim, give_answer, make_item, make_person, sign_in

TEXTS = st.text(max_size=20) | st.sampled_from([mark + "1+1" for mark in DANGEROUS]) | st.just("'=1+1")


def exported(person: User, form: str, **asked: str) -> bytes:
    found = export_entries(person=person, asked=Asked.of(asked), form=form, purpose="yearly audit", now=timezone.now())
    return b"".join(found.stream(form))


@pytest.fixture
def auditor(place: Place) -> User:
    return make_person("ana", Role.AUDITOR, place.site)


@pytest.fixture
def answered(place: Place, operator: User) -> None:
    make_item(place)
    give_answer(claim(place, operator))


@given(TEXTS)
def test_no_text_is_a_formula_and_every_text_comes_back(text: str) -> None:
    assert not str(cell(text)).startswith(tuple(DANGEROUS))
    assert text_of(str(cell(text))) == text


@pytest.mark.parametrize("number", [0, -5, 2.5])
def test_numbers_stay_numbers(number: float) -> None:
    assert cell(number) == number


def test_a_csv_holds_the_entries_and_the_name_is_no_formula(place: Place, auditor: User) -> None:
    sly = make_person("sly", Role.OPERATOR, place.site)
    User.objects.filter(pk=sly.pk).update(name='=HYPERLINK("http://evil")')
    sly.refresh_from_db()
    make_item(place)
    give_answer(claim(place, sly))
    rows = list(csv.DictReader(io.StringIO(exported(auditor, "csv", kind="answers").decode())))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["verb"] == "verdict.given"
    assert rows[0]["person"].startswith("'=HYPERLINK")
    assert rows[0]["sentence"].startswith("'=")
    assert json.loads(rows[0]["facts"])["answer"] == "confirm"
    assert rows[-1]["verb"] == "checkpoint"


def test_json_lines_prove_each_sealed_entry(auditor: User, answered: None) -> None:
    import base64

    from accounts.seal.merkle import leaf_hash, root_from_path
    from accounts.seal.note import read_text

    seal(now=timezone.now())
    head, *entries, foot = [json.loads(line) for line in exported(auditor, "jsonl", kind="answers").splitlines()]
    assert foot["entries"] == len(entries) == 1
    proof = entries[0]["proof"]
    path = [base64.b64decode(one) for one in proof["path"]]
    told = leaf_hash(proof["leaf"].encode())
    assert told.hex() == entries[0]["leaf_hash"]
    text = head["checkpoint"].split("\n\n")[0] + "\n"
    assert root_from_path(told, entries[0]["leaf_index"], head["size"], path) == read_text(text)[2]


def test_it_is_recorded_with_filter_count_and_purpose(auditor: User, answered: None, place: Place) -> None:
    exported(auditor, "jsonl", kind="answers", site=str(place.site.pk))
    entry = AuditEntry.objects.get(verb="audit.exported")
    assert entry.site_id == place.site.pk
    facts = entry.additional_data or {}
    assert (facts["count"], facts["purpose"], facts["format"]) == (1, "yearly audit", "jsonl")
    assert facts["filter"]["kind"] == "answers"


def test_nothing_of_another_site_and_nothing_of_the_own_story_leaves(
    elsewhere: Place, auditor: User, answered: None
) -> None:
    with_own = AuditEntry.objects.filter(actor=auditor)
    exported(auditor, "jsonl")
    assert with_own.exists()
    lines = [json.loads(line) for line in exported(auditor, "jsonl").splitlines()]
    text = json.dumps(lines)
    assert str(elsewhere.site.pk) not in text
    assert elsewhere.site.name not in text


def test_the_own_story_alone_is_no_right_to_export(operator: User, answered: None) -> None:
    with pytest.raises(Refused):
        exported(operator, "csv")
    assert not AuditEntry.objects.filter(verb="audit.exported").exists()


@pytest.mark.parametrize("wrong", [{"form": "xlsx"}, {"purpose": "  "}, {"purpose": "x" * 301}])
def test_it_needs_a_format_and_a_purpose(auditor: User, wrong: dict[str, str]) -> None:
    call: dict[str, Any] = {"form": "csv", "purpose": "why"} | wrong
    with pytest.raises(Invalid):
        export_entries(person=auditor, asked=Asked(), now=timezone.now(), **call)
    assert not Lease.objects.filter(name__startswith="audit-export", expires_at__gt=timezone.now()).exists()


def test_a_sixth_export_at_once_is_refused_until_one_ends(auditor: User, answered: None) -> None:
    call: dict[str, Any] = {"person": auditor, "asked": Asked(), "form": "csv", "purpose": "why", "now": timezone.now()}
    running = [export_entries(**call) for _number in range(AT_ONCE)]
    with pytest.raises(TooManyExports):
        export_entries(**call)
    stream = running[0].stream("csv")
    next(stream)
    stream.close()
    export_entries(**call | {"now": timezone.now()})


def test_batches_leave_nothing_out(auditor: User, answered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.trail.export.BATCH", 2)
    before = AuditEntry.objects.filter(site_id__isnull=False).count()
    *_entries, foot = exported(auditor, "jsonl").splitlines()
    assert json.loads(foot)["entries"] == before > 4


def test_the_page_sends_a_file_after_a_fresh_sign_in(auditor: User, answered: None) -> None:
    body = {"format": "csv", "purpose": "why", "kind": "answers"}
    client = Client()
    client.force_login(auditor)
    assert client.post("/audit/export/", body).status_code == 302
    sign_in(client, auditor)
    answer = client.post("/audit/export/", body)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    assert b"verdict.given" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
