from pathlib import Path

import pytest

from inference.edge.config import check_classes, load, parse
from inference.edge.exceptions import ConfigError
from inference.vision.session import Detector

DEMO = Path(__file__).parents[3] / "deploy" / "demo"
RULE = {"name": "r", "event": {"kind": "unsure"}}


def minimal(**more):
    return {"source": {"file": "x"}, "model": {"path": "m"}, **more}


def test_the_demos_configuration_is_sound_and_its_model_is_the_one_beside_it():
    config = load(DEMO / "agent.toml")
    model = Detector.open(DEMO / config.model.path, sha256=config.model.sha256)
    check_classes(config, model.classes)
    assert config.camera == "yard-1"
    assert config.reporting_floor == 0.40
    assert config.server.pause_when_open == 40


@pytest.mark.parametrize(
    "data, code, path",
    [
        ({"source": {"file": "x"}}, "config_invalid", "$"),
        (minimal(extra=1), "config_invalid", "$"),
        (minimal(model={"path": 7}), "config_invalid", "$.model.path"),
        (minimal(model={"path": "m", "sha256": "xyz"}), "config_invalid", "$.model.sha256"),
        (minimal(reporting_floor=1.5), "config_invalid", "$.reporting_floor"),
        (minimal(reporting_floor=float("nan")), "config_invalid", "$.reporting_floor"),
        (minimal(camera="no spaces"), "config_invalid", "$.camera"),
        (minimal(server={"url": "ftp://x"}), "config_invalid", "$.server.url"),
        (minimal(zones={"z": [[0, 0], [1, 1]]}), "config_invalid", "$.zones[...]"),
        (minimal(source={"file": "x", "folder": "y"}), "config_invalid", "$.source"),
        (minimal(source={}), "config_invalid", "$.source"),
        (minimal(rules=[RULE, {**RULE, "dwell": 0}]), "config_invalid", "$.rules[1].dwell"),
        (minimal(rules=[{**RULE, "colour": "red"}]), "config_invalid", "$.rules[0]"),
        (minimal(rules=[{**RULE, "event": {"kind": "hold"}}]), "config_invalid", "$.rules[0].event.kind"),
        (minimal(rules=[{**RULE, "zone": "z"}]), "zone_unknown", "$.rules[0].zone"),
        (minimal(rules=[{**RULE, "action": "a"}]), "output_unknown", "$.rules[0].action"),
        (minimal(rules=[{**RULE, "confidence": [0.6, 0.6]}]), "band_empty", "$.rules[0].confidence"),
        (minimal(rules=[{**RULE, "confidence": [0.1, 0.6]}]), "band_below_floor", "$.rules[0].confidence"),
        (minimal(rules=[{"name": "r"}]), "rule_without_effect", "$.rules[0]"),
    ],
)
def test_a_wrong_key_is_named_with_its_path_and_a_code(data, code, path):
    with pytest.raises(ConfigError) as refused:
        parse(data)
    assert (refused.value.code, refused.value.path) == (code, path)
    assert refused.value.message.startswith(path)


def test_a_file_that_is_no_toml_or_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "agent.toml")
    assert refused.value.code == "config_unreadable"
    (tmp_path / "agent.toml").write_text("[source\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "agent.toml")
    assert refused.value.code == "config_syntax"
    (tmp_path / "agent.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "agent.toml")
    assert refused.value.code == "config_unreadable"
