"""The connector's configuration: `frigate.toml`, checked before anything starts; `docs/frigate.md` explains it."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from inference.edge.config import (
    EventConfig,
    Name,
    NotNegative,
    OutboxConfig,
    Positive,
    Section,
    Server,
    Sha256,
    Share,
    Short,
    Slug,
    Whole,
)
from inference.edge.exceptions import ConfigError

PASSWORD_VARIABLE = "SECONDLOOK_MQTT_PASSWORD"  # noqa: S105  the name of a variable

type PictureName = Literal["snapshot-clean.webp", "snapshot-clean.png", "snapshot.jpg"]
type Pixels = Annotated[int, Meta(ge=1, le=65535)]
type Port = Annotated[int, Meta(ge=1, le=65535)]
type Prefix = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f+#/][^\x00-\x1f\x7f+#]*$")]


class FrigateConfig(Section, frozen=True):
    """Where Frigate's HTTP API is, and how patiently pictures are waited for."""

    url: Annotated[str, Meta(pattern="^https?://[^ ]+$")]
    name: Slug = "frigate"
    ca_file: str | None = None
    timeout_s: Positive = 10.0
    pictures: Annotated[tuple[PictureName, ...], Meta(min_length=1)] = (
        "snapshot-clean.webp",
        "snapshot-clean.png",
        "snapshot.jpg",
    )
    max_picture_mb: Annotated[float, Meta(gt=0, le=32)] = 16.0
    picture_wait_s: NotNegative = 30.0
    unreachable_wait_s: NotNegative = 86400.0
    without_picture: Literal["send", "drop"] = "send"
    catch_up_every_s: NotNegative = 300.0
    look_back_s: Positive = 3600.0
    most_waiting: Whole = 10_000


class TlsConfig(Section, frozen=True):
    """TLS to the broker; without `ca_file` the system's authorities count. A key pair identifies us to it."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class MqttConfig(Section, frozen=True):
    """The broker that Frigate publishes to. The password is never a key of the file."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Port | None = None
    user: str | None = None
    password_file: str | None = None
    client_id: Annotated[str, Meta(pattern=r"^[-a-zA-Z0-9_]{1,60}$")] | None = None
    topic_prefix: Prefix = "frigate"
    version: Literal["5", "3.1.1"] = "5"
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    session_expiry_s: Annotated[int, Meta(ge=60, le=2**32 - 2)] = 7 * 86400
    retry_min_s: Positive = 1.0
    retry_max_s: Positive = 60.0
    tls: TlsConfig | None = None


class FrigateModel(Section, frozen=True):
    """What Frigate's detector runs: the connector cannot ask."""

    name: Name = "frigate"
    version: Short = "1"
    sha256: Sha256 | None = None


class CameraConfig(Section, frozen=True):
    """A camera under Frigate's name: its slug here, and the size of its detect stream when Frigate does not tell."""

    name: Slug | None = None
    detect: tuple[Pixels, Pixels] | None = None


class RuleConfig(Section, frozen=True):
    """A rule holds for a tracked object that meets all its conditions; the first that holds decides."""

    name: Name
    event: EventConfig
    cameras: tuple[Name, ...] | None = None
    labels: tuple[Name, ...] | None = None
    zones: tuple[Name, ...] | None = None
    confidence: tuple[Share, Share] = (0.0, 1.0)
    top_score: tuple[Share, Share] = (0.0, 1.0)
    false_positive: bool | None = None
    when: Literal["end", "now"] = "end"
    sample: Annotated[float, Meta(gt=0, le=1)] = 1.0


class Config(Section, frozen=True):
    """The whole file."""

    frigate: FrigateConfig
    mqtt: MqttConfig
    rules: Annotated[tuple[RuleConfig, ...], Meta(min_length=1)]
    version: Annotated[int, Meta(ge=0)] = 1
    data: str | None = None
    reporting_floor: Annotated[float, Meta(gt=0, le=1)] = 0.5
    thresholds: dict[Name, Share] = {}
    context: Annotated[dict[Name, Annotated[str, Meta(max_length=500)]], Meta(max_length=30)] = {}
    model: FrigateModel = FrigateModel()
    cameras: dict[str, CameraConfig] = {}
    server: Server = Server()
    outbox: OutboxConfig = OutboxConfig()


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises `ConfigError` with the key's path and a stable code."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("config_unreadable", f"{path} cannot be read: {error}") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config_syntax", f"{path} is not TOML: {error}") from error
    return parse(data)


def parse(data: Mapping[str, Any]) -> Config:
    """A checked configuration from plain data. Raises `ConfigError`."""
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise ConfigError("config_invalid", message, path.rstrip("`") or "$") from error
    for index, rule in enumerate(config.rules):
        _check_rule(config, rule, f"$.rules[{index}]")
    return config


def _check_rule(config: Config, rule: RuleConfig, path: str) -> None:
    for key, (low, high) in (("confidence", rule.confidence), ("top_score", rule.top_score)):
        if low >= high:
            raise ConfigError("band_empty", f"nothing lies between {low} and {high}", f"{path}.{key}")
    low = rule.confidence[0]
    if 0 < low < config.reporting_floor:
        message = f"{low} lies below the reporting floor {config.reporting_floor}: nothing is sent there"
        raise ConfigError("band_below_floor", message, f"{path}.confidence")


def password_of(mqtt: MqttConfig, base: Path) -> str | None:
    """The broker's password, from the environment or the file that the configuration names. Raises `ConfigError`."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is None and mqtt.password_file is not None:
        try:
            given = (base / mqtt.password_file).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            message = f"the password file cannot be read: {error}"
            raise ConfigError("password_missing", message, "$.mqtt.password_file") from error
    if given and mqtt.user is None:
        raise ConfigError("config_invalid", "a password needs a `user`", "$.mqtt.user")
    return given
