"""Anchors: a file, a web address, a bucket with Object Lock."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.anchors.bucket import BucketAnchor
from accounts.anchors.configured import anchor
from accounts.anchors.file import FileAnchor
from accounts.anchors.interface import AnchorFailed, Mark
from accounts.anchors.webhook import WebhookAnchor
from accounts.models import Anchoring, AuditEntry, Checkpoint, User
from accounts.seal import anchoring, state
from accounts.seal.verify import verify
from tests.accounts.seal.conftest import seal_now
from tests.accounts.seal.test_sealer import write
from tests.factories import Place

MARK = Mark(5, bytes(32), "log\n5\nAAAA\n\n— log AAAA\n")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.got.append(self.rfile.read(int(self.headers["content-length"])).decode())  # type: ignore[attr-defined]
        self.send_response(self.server.answer)  # type: ignore[attr-defined]
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture
def web() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answer = [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook(web: Any, settings: Any) -> Any:
    url = f"http://127.0.0.1:{web.server_port}/notes?token=s3cret"
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_ANCHORS": [url]}
    return web


def test_a_file_holds_notes_one_after_the_other(log: Place, operator: User, anchor_file: Path) -> None:
    anchoring.anchor_last(now=timezone.now())
    write(operator)
    seal_now()
    anchoring.anchor_last(now=timezone.now())
    notes = anchor_file.read_text().split("\n\n— ")
    assert len(notes) == 3
    report = verify(anchor_files=[anchor_file])
    assert report.ok, report.problems
    assert report.anchored_size == Checkpoint.objects.order_by("-size")[0].size


def test_a_note_that_a_crash_cut_off_does_not_spoil_the_next_one(log: Place, anchor_file: Path) -> None:
    anchor_file.parent.mkdir()
    anchor_file.write_text("secondlook-x\n12\nab")
    anchoring.anchor_last(now=timezone.now())
    assert verify(anchor_files=[anchor_file]).ok


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(AnchorFailed, match="could not be written"):
        FileAnchor(tmp_path / "folder").put(MARK)


def test_the_same_checkpoint_is_left_once(log: Place, hook: Any) -> None:
    now = timezone.now()
    anchoring.anchor_last(now=now)
    anchoring.anchor_last(now=now + timedelta(hours=1))
    assert hook.got == [Checkpoint.objects.order_by("-size")[0].note]
    assert Anchoring.objects.count() == 1


def test_at_most_every_minute(log: Place, operator: User, hook: Any) -> None:
    now = timezone.now()
    for seconds, got in ((0, 1), (59, 1), (60, 2)):
        write(operator)
        seal_now()
        anchoring.anchor_when_due(now=now + timedelta(seconds=seconds))
        assert len(hook.got) == got


@pytest.mark.parametrize("status", [500, 404, 302, 307])
def test_an_answer_that_is_none_is_a_visible_failure(log: Place, hook: Any, status: int) -> None:
    hook.answer = status
    anchoring.anchor_last(now=timezone.now())
    row = Anchoring.objects.get()
    assert (row.ok, row.result) == (False, f"It answered {status}.")
    assert len(hook.got) == 1
    assert not state().ok
    assert any(f"It answered {status}." in problem for problem in state().problems)


def test_a_failed_anchor_is_tried_again_with_growing_pauses(log: Place, hook: Any) -> None:
    now, tries = timezone.now(), []
    hook.answer = 500
    for minute in range(16):
        before = len(hook.got)
        anchoring.anchor_last(now=now + timedelta(minutes=minute))
        tries += [minute] if len(hook.got) > before else []
    assert tries == [0, 1, 3, 7, 15]
    hook.answer = 200
    anchoring.anchor_last(now=now + timedelta(hours=3))
    assert state().anchors[0].problem == ""
    verbs = AuditEntry.objects.filter(verb__startswith="seal.").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["seal.anchor_failed", "seal.anchor_back"]


def test_an_address_s_secrets_are_neither_shown_nor_stored(log: Place, hook: Any) -> None:
    hook.answer = 500
    anchoring.anchor_last(now=timezone.now())
    stored = json.dumps(list(Anchoring.objects.values("anchor", "result"))) + str(state())
    stored += str(list(AuditEntry.objects.filter(verb="seal.anchor_failed").values_list("additional_data", flat=True)))
    assert "127.0.0.1" in stored
    assert "s3cret" not in stored
    assert WebhookAnchor("https://me:pw@host.example:8443/x?token=1").name == "https://host.example:8443/x"


def test_an_anchor_that_hangs_lets_go_of_the_tick_and_is_left_alone_until_it_ends(
    log: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, tries = threading.Event(), []

    class Hanging(FileAnchor):
        def put(self, mark: Mark) -> str:
            tries.append(mark.size)
            assert go_on.wait(30)
            return "at last"

    one = Hanging(Path("/nowhere"))
    monkeypatch.setattr(anchoring, "PATIENCE_S", 0.05)
    monkeypatch.setattr(anchoring, "anchors", lambda: [one])
    now = timezone.now()
    anchoring.anchor_last(now=now)
    assert "within 0.05 seconds" in Anchoring.objects.get().result
    anchoring.anchor_last(now=now + timedelta(seconds=59))
    assert Anchoring.objects.count() == 1
    anchoring.anchor_last(now=now + timedelta(hours=2))
    assert Anchoring.objects.order_by("-id")[0].result == "An earlier try still hangs."
    assert len(tries) == 1
    go_on.set()
    anchoring.hanging[one.name].join(30)
    anchoring.anchor_last(now=now + timedelta(hours=4))
    assert Anchoring.objects.order_by("-id")[0].ok
    assert len(tries) == 2


def test_a_failure_that_nobody_foresaw_is_told_by_its_type_and_the_other_anchors_are_tried(
    log: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Odd(FileAnchor):
        def put(self, mark: Mark) -> str:
            raise ZeroDivisionError("https://me:s3cret@host")

    monkeypatch.setattr(anchoring, "anchors", lambda: [Odd(Path("/nowhere")), FileAnchor(tmp_path / "anchor.txt")])
    with structlog.testing.capture_logs() as lines:
        anchoring.anchor_last(now=timezone.now())
    odd, good = Anchoring.objects.order_by("id")
    assert (odd.ok, odd.result) == (False, "It failed: ZeroDivisionError.")
    assert good.ok
    assert AuditEntry.objects.filter(verb="seal.anchor_failed").count() == 1
    assert lines[0]["at"].startswith("put:")
    assert "s3cret" not in str(lines)


def test_an_address_where_nobody_listens_is_a_failure() -> None:
    with pytest.raises(AnchorFailed, match="could not be reached"):
        WebhookAnchor("http://127.0.0.1:1/x").put(MARK)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(store: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from accounts.anchors.bucket import s3

    for name, value in {
        "AWS_ENDPOINT_URL_S3": store,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return s3()


def test_a_bucket_keeps_each_note_under_a_lock(s3: Any) -> None:
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    said = BucketAnchor("locked", "plant/7", timedelta(days=30)).put(MARK)
    key = s3.list_objects_v2(Bucket="locked")["Contents"][0]["Key"]
    assert key == f"plant/7/{5:015d}-{'0' * 16}.note"
    assert said.startswith(key)
    held = s3.get_object(Bucket="locked", Key=key)
    assert held["Body"].read().decode() == MARK.note
    assert held["ObjectLockMode"] == "COMPLIANCE"
    days = (held["ObjectLockRetainUntilDate"] - timezone.now()).total_seconds() / 86400
    assert 29 < days <= 30


def test_a_bucket_without_object_lock_is_a_failure(s3: Any) -> None:
    s3.create_bucket(Bucket="open")
    with pytest.raises(AnchorFailed):
        BucketAnchor("open", "", timedelta(days=30)).put(MARK)


def test_a_bucket_that_is_not_there_is_a_failure(s3: Any) -> None:
    with pytest.raises(AnchorFailed, match="NoSuchBucket"):
        BucketAnchor("nowhere", "", timedelta(days=30)).put(MARK)


@pytest.mark.parametrize(
    "text", ["", "x", "file:relative", "http://example.org/x", "ftp://example.org", "s3://", "https://", "file://h/x"]
)
def test_what_is_no_anchor_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_AUDIT_ANCHORS"):
        anchor(text)


def test_an_anchor_beside_the_data_is_called_what_it_is(log: Place, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert any("proves nothing" in problem for problem in state().problems)
    settings.DATA_DIR = tmp_path / "data"
    assert state().problems == []


def test_without_an_anchor_nothing_starts(settings: Any) -> None:
    from accounts.seal.checks import check_anchors

    for held, wanted in ([], "accounts.E002"), (["gopher://x"], "accounts.E001"):
        settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_ANCHORS": held}
        assert [one.id for one in check_anchors()] == [wanted]
    inside = {"AUDIT_ANCHORS": [f"file:{settings.DATA_DIR}/notes"], "EMBEDDED": False}
    settings.SECONDLOOK = settings.SECONDLOOK | inside
    assert [one.id for one in check_anchors()] == ["accounts.E003"]
