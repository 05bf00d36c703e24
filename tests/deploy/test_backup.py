"""Backups: whole or not there, each part checked, and nothing overwritten when one is brought back."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEntry
from deploy.backup import copying, keys, manifest, restoring, taking
from deploy.backup.exceptions import Damaged, Full, Unusable
from review.evidence_store import local_path
from review.models import Evidence
from tests import factories
from tests.factories import Place, jpeg

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def take(target: Path, **options: Any) -> Path:
    told = {"now": timezone.now(), "with_secrets": False, "keep": None, "reread": False} | options
    return Path(taking.take(target=target, **told)["backup"])


def restore(source: Path, **options: Any) -> restoring.Verdict:
    return restoring.restore(source=source, **({"into_empty": False, "without_damaged": False} | options))


def rewrite(folder: Path, **changes: Any) -> None:
    """A manifest that says something else, with a digest that fits."""
    body = json.loads((folder / manifest.NAME).read_text())
    del body["sha256"]
    body |= changes
    (folder / manifest.NAME).write_text(json.dumps(body | {"sha256": manifest.own_digest(body)}))


def test_it_holds_the_database_and_every_file_that_a_row_points_to(place: Place, target: Path) -> None:
    factories.post(place, picture=jpeg())
    folder = take(target)
    told = manifest.read(folder)
    evidence = Evidence.objects.get()
    assert copying.digest_of(folder / "media" / evidence.path) == evidence.sha256
    assert told.counts["events"] == told.counts["evidence"] == 1
    assert "accounts" in told.migrations
    entry = AuditEntry.objects.get(verb="system.backed_up")
    assert entry.additional_data["backup"] == told.id
    manifest.check_parts(folder, told)


def test_the_next_backup_links_what_it_has_already_and_stands_by_itself(place: Place, target: Path) -> None:
    factories.post(place, picture=jpeg())
    first = take(target)
    factories.post(place, picture=jpeg((1, 2, 3)))
    second = take(target, keep=1)
    names = {one.name for one in Evidence.objects.all() for one in [Path(one.path)]}
    assert {path.name for path in (second / "media").rglob("*") if path.is_file()} == names
    assert not first.exists()
    assert [path.name for path in target.iterdir() if not path.name.startswith(".")] == [second.name]


def test_what_is_missing_or_altered_is_reported_and_not_backed_up(place: Place, target: Path) -> None:
    for colour in ((1, 1, 1), (2, 2, 2)):
        factories.post(place, picture=jpeg(colour))
    gone, altered = Evidence.objects.all()
    local_path(gone.path).unlink()
    local_path(altered.path).write_bytes(b"x" * altered.size)
    folder = take(target)
    assert manifest.read(folder).problems == {gone.path: "missing", altered.path: "damaged"}
    assert (folder / "files.jsonl").read_text() == ""
    assert not [path for path in folder.rglob("*") if path.name in {gone.sha256, altered.sha256}]


@pytest.mark.parametrize("where", ["files", "manifest"])
def test_a_full_target_leaves_no_debris(
    place: Place, target: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    factories.post(place, picture=jpeg())

    def full(*_told: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((copying, "copy") if where == "files" else (manifest.Manifest, "write")), full)
    with pytest.raises(Full, match="full"):
        take(target)
    assert [path.name for path in target.iterdir()] == [".lock"]
    assert not AuditEntry.objects.filter(verb="system.backed_up").exists()


def test_what_a_killed_backup_left_is_no_backup_and_goes_with_the_next(place: Place, target: Path) -> None:
    folder = take(target)
    half = target / ".partial-2026-01-01"
    folder.rename(half)
    with pytest.raises(Unusable, match="no backup"):
        restoring.manifest.read(restoring.chosen(target))
    take(target)
    assert not half.exists()


def test_two_at_once_do_not_meet(target: Path, place: Place) -> None:
    target.mkdir()
    with taking.alone(target), pytest.raises(Unusable, match="running"):
        take(target)


def test_it_refuses_to_overwrite(place: Place, target: Path) -> None:
    factories.make_person("somebody")
    folder = take(target)
    for into_empty in (False, True):
        with pytest.raises(Unusable, match="already"):
            restore(folder, into_empty=into_empty)


@pytest.fixture
def empty_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were no database yet; nothing is put in its place."""
    monkeypatch.setattr(taking.database(), "is_empty", lambda: True)
    monkeypatch.setattr(taking.database(), "restore", lambda folder: None)


def test_it_names_the_damaged_part(place: Place, target: Path, empty_here: None) -> None:
    factories.post(place, picture=jpeg())
    folder = take(target)
    for name in manifest.read(folder).parts:
        path = folder / name
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(Damaged, match=name):
            restore(folder)
        path.unlink()
        with pytest.raises(Damaged, match=name):
            restore(folder)
        path.write_bytes(before)
    (folder / manifest.NAME).write_text((folder / manifest.NAME).read_text().replace('"events": 1', '"events": 2'))
    with pytest.raises(Damaged, match="manifest"):
        restore(folder)


def test_a_damaged_file_stops_it_unless_it_may_be_left_out(place: Place, target: Path, empty_here: None) -> None:
    factories.post(place, picture=jpeg())
    folder = take(target)
    evidence = Evidence.objects.get()
    local_path(evidence.path).unlink()
    copy = folder / "media" / evidence.path
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    with pytest.raises(Damaged, match=evidence.sha256):
        restore(folder)
    assert not local_path(evidence.path).exists()
    verdict = restore(folder, without_damaged=True)
    assert not verdict.ok
    assert verdict.left_out == verdict.fsck == [evidence.path]


def test_it_puts_files_back_and_says_so_in_the_trail(place: Place, target: Path, empty_here: None) -> None:
    factories.post(place, picture=jpeg())
    folder = take(target)
    path = local_path(Evidence.objects.get().path)
    path.unlink()
    verdict = restore(folder)
    assert (verdict.ok, verdict.fsck, verdict.audit) == (True, [], "ok")
    assert path.exists()
    entry = AuditEntry.objects.get(verb="system.restored")
    assert entry.additional_data["backup"] == folder.name
    assert not restoring.mark_file().exists()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"format": 2}, "format 2"),
        ({"migrations": {"review": ["9999_of_the_future"]}, "version": "9.9"}, "newer"),
        ({"vendor": "oracle"}, "oracle"),
    ],
)
def test_it_refuses_what_this_version_cannot_read(
    place: Place, target: Path, empty_here: None, changes: dict[str, Any], said: str
) -> None:
    folder = take(target)
    rewrite(folder, **changes)
    with pytest.raises(Unusable, match=said):
        restore(folder)


def test_a_list_that_leads_out_of_the_store_is_refused(place: Place, target: Path, empty_here: None) -> None:
    folder = take(target)
    (folder / "files.jsonl").write_text(json.dumps({"name": "../../stolen", "size": 1, "sha256": ""}) + "\n")
    parts = manifest.read(folder).parts | {"files.jsonl": copying.digest_of(folder / "files.jsonl")}
    rewrite(folder, parts=parts)
    with pytest.raises(Damaged, match="outside the store"):
        restore(folder)


def test_secrets_are_in_it_only_when_asked_for(place: Place, target: Path, data_folder: Path) -> None:
    (data_folder / "secret_key").write_text("hidden-words")
    without, with_them = take(target), take(target, with_secrets=True)
    assert not [path for path in without.rglob("*") if path.is_file() and b"hidden-words" in path.read_bytes()]
    kept = with_them / "secrets" / "secret_key"
    assert kept.stat().st_mode & 0o077 == 0
    (data_folder / "secret_key").write_text("another")
    keys.restore(with_them)
    assert (data_folder / "secret_key").read_text() == "hidden-words"
    assert (data_folder / "secret_key.before-restore").read_text() == "another"


def test_the_command_says_what_is_wrong_in_a_sentence(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be used"):
        call_command("backup", str(tmp_path / "file"))
    with pytest.raises(CommandError, match="no backup"):
        call_command("restore", str(tmp_path / "nowhere"))
