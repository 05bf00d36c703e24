import json

import cv2
import numpy as np
import pytest

from inference.edge import cli
from inference.edge.outbox import Outbox

from .conftest import DEMO


@pytest.fixture(autouse=True)
def no_token(monkeypatch, tmp_path):
    monkeypatch.delenv(cli.TOKEN_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


def problem(capsys):
    return json.loads(capsys.readouterr().err.splitlines()[-1])


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    video = cv2.VideoCapture(str(DEMO / "yard.mp4"))
    _, frame = video.read()
    video.release()
    path = tmp_path_factory.mktemp("yard") / "yard.png"
    cv2.imwrite(str(path), frame)
    return path


def test_probe_says_what_it_understood_and_draws_what_the_model_sees(capsys, tmp_path, yard):
    out = tmp_path / "drawn.jpg"
    arguments = ["probe", str(DEMO / "nanodet-coco80-416.onnx"), "--image", str(yard), "--out", str(out)]
    assert cli.main([*arguments, "--floor", "0.4"]) == 0
    text = capsys.readouterr().out
    for said in ("head      nanodet", "416 x 416 NCHW BGR float32, stretch", "80: person, bicycle", "Apache-2.0"):
        assert said in text
    assert "0.83  person" in text
    drawn, original = cv2.imread(str(out)), cv2.imread(str(yard))
    assert drawn.shape == original.shape
    x, y = 372, 280
    assert np.abs(drawn[y, x].astype(int) - original[y, x]).max() > 60


def test_probe_as_json(capsys, yard):
    assert cli.main(["probe", str(DEMO / "nanodet-coco80-416.onnx"), "--image", str(yard), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["input"]["mean"] == [103.53, 116.28, 123.675]
    assert said["detections"][0]["name"] == "person"


def test_probe_refuses_a_wrong_digest_and_a_file_that_is_no_model(capsys, tmp_path, model):
    assert cli.main(["probe", str(model), "--sha256", "0" * 64]) == 2
    assert problem(capsys)["code"] == "digest_mismatch"
    (tmp_path / "m.onnx").write_bytes(b"nonsense")
    assert cli.main(["probe", str(tmp_path / "m.onnx")]) == 2
    assert problem(capsys)["code"] == "model_unreadable"
    assert cli.main(["probe", str(model), "--image", str(tmp_path / "m.onnx")]) == 1
    assert problem(capsys)["code"] == "image_unreadable"
    assert cli.main(["probe", str(model), "--image", str(tmp_path / "none.jpg")]) == 1
    assert problem(capsys)["code"] == "image_unreadable"


def test_status_shows_the_figures_of_the_outbox(capsys, tmp_path):
    box = Outbox(tmp_path / "data", quota_bytes=2**20)
    box.add("a", lambda seq: b"{}", ())
    assert cli.main(["status", "--data", str(tmp_path / "data")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["waiting"], said["last_seq"], said["dead"]) == (1, 1, 0)
    box.close()
    assert cli.main(["status", "--data", str(tmp_path / "none")]) == 1
    assert problem(capsys)["code"] == "outbox_damaged"


def test_one_line_without_a_file_does_the_whole_job(stub, model, video, tmp_path):
    arguments = ["run", "--source", str(video), "--model", str(model), "--server", stub.url, "--token", "t"]
    assert cli.main([*arguments, "--camera", "gate", "--data", str(tmp_path / "d")]) == 0
    # The sampling of confident frames may add one by chance.
    (event,) = [event for event in stub.bodies() if event["kind"] != "sample"]
    assert event["camera"] == "gate"
    assert (event["kind"], event["rule"]) == ("unsure", "unsure")
    assert stub.headers[0]["Authorization"] == "Bearer t"


@pytest.mark.parametrize("given", ["environment", "file", "config"])
def test_the_token_is_found_where_it_was_put(stub, model, video, tmp_path, monkeypatch, given):
    server = f'[server]\nurl = "{stub.url}"\n'
    if given == "environment":
        monkeypatch.setenv(cli.TOKEN_VARIABLE, "there")
    elif given == "file":
        (tmp_path / "token").write_text("there\n")
        server += 'token_file = "token"\n'
    else:
        server += 'token = "there"\n'
    (tmp_path / "agent.toml").write_text(
        f'data = "d"\n{server}[source]\nfile = "{video}"\n[model]\npath = "{model}"\n'
        '[[rules]]\nname = "r"\nconfidence = [0.25, 0.6]\nevent = {kind = "unsure"}\n'
    )
    assert cli.main(["run", "--config", str(tmp_path / "agent.toml")]) == 0
    assert stub.headers[0]["Authorization"] == "Bearer there"
    assert (tmp_path / "d" / "outbox.db").exists()


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["run", "--source", "0"], "config_invalid"),
        (["run", "--source", "0", "--model", "m"], "config_invalid"),
        (["run", "--source", "0", "--model", "m", "--server", "http://x"], "token_missing"),
        (["run", "--source", "0", "--model", "m", "--server", "x", "--token", "t"], "config_invalid"),
        (["run", "--source", "0", "--model", "m", "--server", "http://x", "--token", "t\nu"], "token_missing"),
        (["run", "--source", "0", "--model", "none", "--server", "http://x", "--token", "t"], "model_unreadable"),
        (
            ["run", "--source", "0", "--model", "m", "--server", "http://x", "--token", "t", "--camera", "a b"],
            "config_invalid",
        ),
        (["run", "--config", "none.toml"], "config_unreadable"),
        (["status", "--config", "none.toml"], "config_unreadable"),
    ],
)
def test_a_wrong_call_ends_with_a_code_and_status_2(capsys, arguments, code):
    assert cli.main(arguments) == 2
    assert problem(capsys)["code"] == code


def test_a_video_that_is_not_there_ends_with_status_1(capsys, model):
    arguments = ["run", "--source", "none.mp4", "--model", str(model), "--server", "http://127.0.0.1:9", "--token", "t"]
    assert cli.main(arguments) == 1
    assert problem(capsys)["code"] == "source_unreadable"
