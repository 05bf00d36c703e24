"""The client against a real server: what it builds is taken, and what breaks is repeated."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from inference.client import Client, Posted, Refused, Unreachable
from inference.client.client import PART_BYTES
from inference.client.exceptions import BadAnswer, BadInput
from inference.client.picture import picture_of
from inference.edge import cli
from inference.models import SeenCount
from review.evidence_store import StoreUnavailable
from review.models import Event, Evidence
from tests import factories
from tests.factories import Place, jpeg, sha256

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = ("detector", "1.0")
BIRD = [("bird", 0.42, [10, 20, 40, 50])]


@pytest.fixture
def yard(transactional_db: None) -> Place:
    return factories.make_place("yard")


@pytest.fixture
def client(live_server: Any, yard: Place) -> Iterator[Client]:
    with Client(live_server.url, yard.token, tries=3) as client:
        client.transport.sleep = lambda _seconds: None
        yield client


def test_a_picture_with_predictions_is_an_event(client: Client, yard: Place, tmp_path: Path) -> None:
    path = tmp_path / "frame.jpg"
    path.write_bytes(jpeg(size=(320, 240), exif=turned()))
    posted = client.post(path, model=MODEL, predictions=BIRD, context={"order": "4711"}, reporting_floor=0.25)
    assert (posted.status, posted.evidence) == ("created", {"frame": "stored"})
    event = Event.objects.get(pk=posted.id)
    assert (event.frame_width_px, event.frame_height_px) == (240, 320)
    assert (event.kind, event.task, event.context, event.items.count()) == ("unsure", "detection", {"order": "4711"}, 1)


def turned() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def test_an_array_and_a_report(client: Client) -> None:
    array = np.zeros((240, 320, 3), np.uint8)
    assert client.post(array, colour="rgb").status == "created"
    assert Event.objects.get().kind == "report"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.post(b"GIF89a", model=MODEL),
        lambda client: client.post("/nowhere.jpg", model=MODEL),
        lambda client: client.post(np.zeros((4, 4), np.uint8), model=MODEL),
        lambda client: client.post(jpeg(), predictions=BIRD),
        lambda client: client.post(model=MODEL),
        lambda client: client.post(jpeg(), model=MODEL, predictions=[("a",)]),
        lambda client: client.post(jpeg(), model=MODEL, predictions=[("a", 0.5), ("b", 0.5, [1, 1, 2, 2])]),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(client: Client, call: Callable[[Client], Any]) -> None:
    with pytest.raises(BadInput):
        call(client)
    assert not Event.objects.exists()


def test_a_refusal_has_the_servers_code(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        client.post(jpeg(), model=MODEL, predictions=[("bird" * 50, 0.7, [1, 1, 2, 2])])
    assert (refused.value.status, refused.value.code) == (422, "schema")
    assert refused.value.errors[0]["path"] == "$.predictions[0].class"


def test_a_lost_answer_is_asked_for_again_and_counts_once(client: Client, yard: Place) -> None:
    real, lost = client.transport.http._transport, []

    class Loses(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = real.handle_request(request)
            if len(lost) < 2:
                answer.read()
                lost.append(answer.status_code)
                raise httpx.ReadError("cut off")
            return answer

    client.transport.http._transport = Loses()
    posted = client.post(jpeg(), model=MODEL, predictions=BIRD)
    assert (lost, posted.status) == ([201, 200], "duplicate")
    assert Event.objects.count() == 1


def test_who_is_asked_to_wait_waits_and_gives_up_in_the_end() -> None:
    waited: list[float] = []
    client = Client("http://127.0.0.1:9", "x", tries=3)
    client.transport.sleep = waited.append
    client.transport.http._transport = httpx.MockTransport(
        lambda _request: httpx.Response(429, headers={"Retry-After": "7"}, json={"code": "busy"})
    )
    with pytest.raises(Unreachable):
        client.counts([])
    assert len(waited) == 2
    assert min(waited) >= 7


def test_an_answer_with_more_in_it_than_this_client_knows_is_read() -> None:
    said = {"id": "i", "event_id": "e", "status": "created", "evidence": {}, "queue": "new in a later version"}
    client = Client("http://127.0.0.1:9", "x", tries=1)
    client.transport.http._transport = httpx.MockTransport(lambda _request: httpx.Response(201, json=said))
    assert client.post_event({"event_id": "e"}) == Posted("i", "e", "created", {})


def test_a_large_file_goes_in_parts_and_on_where_it_broke_off(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"PARTIALS": str(tmp_path)}
    data = jpeg() + os.urandom(PART_BYTES + 1000)
    picture = {"name": "frame", "role": "frame", "sha256": sha256(data), "content_type": "image/jpeg"}
    client.post_event(factories.event_body(evidence=[picture]))
    headers = {"Content-Type": "image/jpeg", "Content-Range": f"bytes 0-999/{len(data)}"}
    client.transport.call("PUT", f"evidence/{sha256(data)}", content=data[:1000], headers=headers)
    assert client.put(data, "image/jpeg", sha256=sha256(data)) == "stored"
    assert Evidence.objects.get().size == len(data)
    assert client.put(data, "image/jpeg", sha256=sha256(data)) == "stored"


def test_a_server_that_had_all_of_it_and_stored_nothing_is_asked_again(
    client: Client, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"PARTIALS": str(tmp_path)}
    data = jpeg() + os.urandom(PART_BYTES + 1000)
    picture = {"name": "frame", "role": "frame", "sha256": sha256(data), "content_type": "image/jpeg"}
    client.post_event(factories.event_body(evidence=[picture]))
    monkeypatch.setattr("review.actions.evidence.evidence_store.write", out_of_order)
    with pytest.raises(Unreachable):
        client.put(data, "image/jpeg", sha256=sha256(data))
    monkeypatch.undo()
    assert client.put(data, "image/jpeg", sha256=sha256(data)) == "stored"


def out_of_order(_name: str, _data: bytes) -> bool:
    raise StoreUnavailable


def test_batches_counts_and_answers(client: Client, yard: Place) -> None:
    results = client.batch([factories.event_body() for _number in range(103)])
    assert [row["status"] for row in results] == ["created"] * 103
    rows = [{"hour": "2026-11-23T08:00:00Z", "model": {"name": "m", "version": "1"}, "frames": 9}]
    assert client.counts(rows) == SeenCount.objects.count() == 1
    held = client.post(jpeg(), model=MODEL, predictions=BIRD, hold={"deadline_s": 60, "fallback": "reject"})
    assert client.answer(held, wait_s=0) == {"state": "waiting"}


def test_the_command_posts_what_another_program_found(
    live_server: Any, yard: Place, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    (tmp_path / "f.jpg").write_bytes(jpeg())
    (tmp_path / "p.json").write_text(json.dumps({"out": [{"what": "bird", "sure": 42, "at": [10, 20, 50, 70]}]}))
    (tmp_path / "m.toml").write_text(
        'items = "out"\nclass_name = "what"\nconfidence = "sure"\nscale = 100\nbox = "at"\nbox_format = "xyxy"\n'
    )
    monkeypatch.setenv("SECONDLOOK_TOKEN", yard.token)
    said = ["post", str(tmp_path / "f.jpg"), "--server", live_server.url, "--model", "detector:1.0"]
    said += ["--predictions", str(tmp_path / "p.json"), "--mapping", str(tmp_path / "m.toml")]
    assert cli.main(said) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "created"
    assert Event.objects.get().predictions[0]["box"] == [10, 20, 40, 50]
    assert cli.main([*said[:-1], str(tmp_path / "none.toml")]) == 2


def test_the_size_is_that_of_the_upright_frame() -> None:
    picture = picture_of(jpeg(size=(32, 24), exif=turned()))
    assert (picture.width, picture.height) == (24, 32)


@pytest.mark.parametrize("answer", [None, [], "ok", {}, {"id": "x", "status": "created"}, {"ok": True}])
def test_an_answer_of_something_else_is_said_to_be_one(answer: Any) -> None:
    with pytest.raises(BadAnswer, match="address"):
        Posted.of(answer)


def test_an_answer_may_say_more_than_this_client_knows() -> None:
    said = {"id": "x", "event_id": "y", "status": "created", "later": 1}
    assert Posted.of(said) == Posted("x", "y", "created")
