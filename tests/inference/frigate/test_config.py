"""`frigate.toml`: what is refused, with which code and path, and where secrets come from."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inference.edge import cli
from inference.edge.exceptions import ConfigError
from inference.frigate.config import PASSWORD_VARIABLE, MqttConfig, load, parse, password_of

DOCS = Path(__file__).parents[3] / "docs" / "frigate.md"
SMALLEST = """
frigate.url = "http://nvr"
mqtt.host = "nvr"
[[rules]]
name = "all"
event.kind = "unsure"
"""
RULE = {"name": "all", "event": {"kind": "unsure"}}


def data(**changes: Any) -> dict[str, Any]:
    return {"frigate": {"url": "http://nvr:5000"}, "mqtt": {"host": "nvr"}, "rules": [RULE]} | changes


def rule(**changes: Any) -> dict[str, Any]:
    return data(rules=[RULE | changes])


@pytest.mark.parametrize(
    "given, code, path",
    [
        (data(colour=1), "config_invalid", "$"),
        (data(rules=[]), "config_invalid", "$.rules"),
        (data(frigate={"url": "ftp://nvr"}), "config_invalid", "$.frigate.url"),
        (data(frigate={"url": "http://nvr", "pictures": ["thumbnail.jpg"]}), "config_invalid", "$.frigate.pictures[0]"),
        (data(mqtt={"host": "nvr", "password": "x"}), "config_invalid", "$.mqtt"),
        (data(mqtt={"host": "nvr", "topic_prefix": "frigate/#"}), "config_invalid", "$.mqtt.topic_prefix"),
        (data(mqtt={"host": "nvr", "port": 0}), "config_invalid", "$.mqtt.port"),
        (data(cameras={"a": {"name": "a b"}}), "config_invalid", "$.cameras[...].name"),
        (rule(event={"kind": "report"}), "config_invalid", "$.rules[0].event.kind"),
        (rule(when="later"), "config_invalid", "$.rules[0].when"),
        (rule(confidence=[0.6, 0.6]), "band_empty", "$.rules[0].confidence"),
        (rule(top_score=[0.9, 0.6]), "band_empty", "$.rules[0].top_score"),
        (rule(confidence=[0.3, 0.6]), "band_below_floor", "$.rules[0].confidence"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(given)
    assert (refused.value.code, refused.value.path) == (code, path)


def test_the_example_of_the_documentation_is_one(tmp_path: Path) -> None:
    text = DOCS.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "frigate.toml").write_text(text)
    assert load(tmp_path / "frigate.toml").rules


def test_the_password_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    mqtt = MqttConfig(host="nvr", user="second-look", password_file="password")
    with pytest.raises(ConfigError) as refused:
        password_of(mqtt, tmp_path)
    assert refused.value.code == "password_missing"
    (tmp_path / "password").write_text("from the file\n")
    assert password_of(mqtt, tmp_path) == "from the file"
    monkeypatch.setenv(PASSWORD_VARIABLE, "from the environment")
    assert password_of(mqtt, tmp_path) == "from the environment"
    with pytest.raises(ConfigError):
        password_of(MqttConfig(host="nvr"), tmp_path)


@pytest.mark.parametrize("arguments", [["--server", "http://127.0.0.1:1"], ["--token", "t"]])
def test_without_a_token_or_a_server_nothing_starts(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(cli.TOKEN_VARIABLE, raising=False)
    config = tmp_path / "frigate.toml"
    config.write_text(SMALLEST)
    assert cli.main(["frigate", "--config", str(config), *arguments]) == 2
    assert json.loads(capsys.readouterr().err)["code"] in {"token_missing", "config_invalid"}


def test_without_the_mqtt_library_the_agent_starts_and_the_connector_says_what_is_missing(tmp_path: Path) -> None:
    config = tmp_path / "frigate.toml"
    config.write_text(SMALLEST)
    code = (
        "import sys; sys.modules['paho'] = None\n"
        "from inference.edge import cli\n"
        f"sys.exit(cli.main(['frigate', '--config', {str(config)!r}, '--token', 't', '--server', 'http://127.0.0.1:1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stderr)["code"]) == (1, "mqtt_missing")
