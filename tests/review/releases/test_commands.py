"""`build_release`: freezes and builds at once, and ends with 0 only when the release is ready."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from review.models import Release, ReleaseState
from review.releases.store import ReleaseStore
from tests.review.releases.builders import START


def run(capsys, *args):
    call_command("build_release", "--site", "yard", *args, "--json")
    return json.loads(capsys.readouterr().out)


def test_it_builds_a_ready_release(yard, capsys):
    yard.outcome()
    said = run(capsys, "--queue", "doubtful", "--name", "First")
    release = Release.objects.get()
    assert (said["id"], said["state"], said["pictures"]) == (str(release.pk), "ready", 1)
    assert said["manifest_sha256"] == release.files.get(name="manifest.json").sha256
    assert release.name == "First"


def test_days_are_those_of_the_site(yard, capsys):
    yard.site.time_zone = "Pacific/Auckland"
    yard.site.save()
    # Half past eleven in the evening of the first and just after midnight of the second in Auckland (UTC+13).
    first = START.replace(hour=10, minute=30)
    yard.outcome(decided_at=first)
    yard.outcome(decided_at=first + timedelta(minutes=31))
    assert run(capsys, "--to", "2026-03-01")["pictures"] == 1
    assert run(capsys, "--from", "2026-03-01", "--to", "2026-03-02")["pictures"] == 2
    assert run(capsys, "--from", "2026-03-01T10:31:00Z")["pictures"] == 1


@pytest.mark.parametrize(
    "args, words",
    [
        (["--queue", "nowhere"], "no queue"),
        (["--from", "yesterday"], "no date"),
        (["--from", "2026-13-01"], "no date"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "bad_dates"),
        ([], "nothing_to_release"),
    ],
)
def test_it_says_what_is_wrong(yard, args, words):
    with pytest.raises(CommandError, match=words):
        call_command("build_release", "--site", "yard", *args)
    assert not Release.objects.exists()


def test_an_unknown_site_is_an_error(db):
    with pytest.raises(CommandError, match="no site"):
        call_command("build_release", "--site", "nowhere")


def test_a_failed_build_is_an_error(yard, monkeypatch, capsys):
    yard.outcome()
    monkeypatch.setattr(ReleaseStore, "put_bytes", lambda self, name, data: 1 / 0)
    with pytest.raises(CommandError, match="failed"):
        run(capsys)
    assert Release.objects.get().state == ReleaseState.FAILED
