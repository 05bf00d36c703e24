"""The agent's configuration: `agent.toml`, checked before anything starts. `docs/edge.md` explains the keys."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from inference.edge.exceptions import ConfigError
from inference.vision.preprocess import InputSpec

type Share = Annotated[float, Meta(ge=0, le=1)]
type Positive = Annotated[float, Meta(gt=0)]
type NotNegative = Annotated[float, Meta(ge=0)]
type Whole = Annotated[int, Meta(ge=1)]
type Name = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
type Short = Annotated[str, Meta(max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
type Slug = Annotated[str, Meta(pattern=r"^[-a-zA-Z0-9_]{1,60}$")]
type Point = tuple[float, float]
type Triple = tuple[float, float, float]
type Sha256 = Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; unknown keys are refused."""


class Server(Section, frozen=True):
    """Where events go, and how patiently."""

    url: Annotated[str, Meta(pattern="^https?://[^ ]+$")] | None = None
    token: str | None = None
    token_file: str | None = None
    timeout_s: Positive = 15.0
    retry_min_s: Positive = 1.0
    retry_max_s: Positive = 300.0
    pause_when_open: Whole | None = None
    ask_every_s: Positive = 5.0


class SourceConfig(Section, frozen=True):
    """Where frames come from: exactly one of a video file, a folder, and a live address or device number."""

    file: str | None = None
    folder: str | None = None
    live: str | int | None = None
    loop: bool = False
    realtime: bool = False
    fps: Positive | None = None
    infer_every: Whole = 1
    open_timeout_s: Positive = 5.0
    read_timeout_s: Positive = 5.0
    max_age_ms: Positive = 1000.0


class InputConfig(Section, frozen=True):
    """The input description, as `inference.vision.preprocess.InputSpec`."""

    width: Whole
    height: Whole
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["BGR", "RGB"] = "RGB"
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    scale: float = 1.0
    fit: Literal["stretch", "letterbox"] = "stretch"
    pad: Annotated[int, Meta(ge=0, le=255)] = 114
    dtype: Literal["float32", "float16", "uint8"] = "float32"

    def spec(self) -> InputSpec:
        """For the vision core. Raises `InputInvalid`."""
        return InputSpec(**msgspec.structs.asdict(self))


class ModelConfig(Section, frozen=True):
    """Which model runs; `sha256` is checked at every load."""

    path: str
    name: Name | None = None
    version: Short = "1"
    sha256: Sha256 | None = None
    threads: Whole = 1
    classes: tuple[Name, ...] | None = None
    input: InputConfig | None = None


class EventConfig(Section, frozen=True):
    """That a rule posts: as what, and why."""

    kind: Literal["unsure", "flagged", "sample"]
    flags: Annotated[tuple[Slug, ...], Meta(max_length=19)] = ()


class RuleConfig(Section, frozen=True):
    """A rule holds for the predictions that meet all its conditions; `action` and `event` are decided separately."""

    name: Name
    classes: tuple[Name, ...] | None = None
    confidence: tuple[Share, Share] = (0.0, 1.0)
    zone: Name | None = None
    count: Whole = 1
    dwell: Whole = 1
    action: Name | None = None
    rearm_s: NotNegative = 5.0
    event: EventConfig | None = None
    sample: Annotated[float, Meta(gt=0, le=1)] = 1.0


class OutputConfig(Section, frozen=True):
    """Something that acts."""

    name: Name
    driver: Literal["simulator"] = "simulator"


class FoldConfig(Section, frozen=True):
    """How sightings of one track become one event."""

    window_s: NotNegative = 3.0
    again_s: Positive | None = None
    min_iou: Share = 0.3
    max_lost: Whole = 5


class PaceConfig(Section, frozen=True):
    """How often events are posted; `repeat_every_s` is about footage that repeats."""

    min_interval_s: NotNegative = 0.0
    pending: Whole = 16
    repeat_every_s: Positive | None = None
    repeat_frames: Whole = 30
    repeat_px: Positive = 48.0


class OutboxConfig(Section, frozen=True):
    """Where events wait, and how much room they have."""

    quota_mb: Positive = 512.0
    dead_items: Whole = 200


class Config(Section, frozen=True):
    """The whole file."""

    model: ModelConfig
    source: SourceConfig
    version: Annotated[int, Meta(ge=0)] = 1
    camera: Slug | None = None
    data: str | None = None
    reporting_floor: Annotated[float, Meta(gt=0, le=1)] = 0.25
    jpeg_quality: Annotated[int, Meta(ge=50, le=100)] = 88
    thresholds: dict[str, Share] = {}
    context: Annotated[dict[Name, Annotated[str, Meta(max_length=500)]], Meta(max_length=40)] = {}
    zones: dict[str, Annotated[tuple[Point, ...], Meta(min_length=3)]] = {}
    server: Server = Server()
    fold: FoldConfig = FoldConfig()
    pace: PaceConfig = PaceConfig()
    outbox: OutboxConfig = OutboxConfig()
    outputs: tuple[OutputConfig, ...] = ()
    rules: tuple[RuleConfig, ...] = ()


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
    _check_source(config.source)
    for index, rule in enumerate(config.rules):
        _check_rule(config, rule, f"$.rules[{index}]")
    return config


def check_classes(config: Config, classes: tuple[str, ...]) -> None:
    """Raises `ConfigError` (`class_unknown`) for a class that the model does not know."""
    named = [(f"$.rules[{i}].classes", name) for i, rule in enumerate(config.rules) for name in rule.classes or ()]
    named += [(f"$.thresholds.{name}", name) for name in config.thresholds]
    for path, name in named:
        if name not in classes:
            raise ConfigError("class_unknown", f"the model knows no class {name!r}", path)


def _check_source(source: SourceConfig) -> None:
    given = [key for key in ("file", "folder", "live") if getattr(source, key) is not None]
    if len(given) != 1:
        raise ConfigError("config_invalid", "give exactly one of `file`, `folder` and `live`", "$.source")


def _check_rule(config: Config, rule: RuleConfig, path: str) -> None:
    low, high = rule.confidence
    if low >= high:
        raise ConfigError("band_empty", f"no confidence lies between {low} and {high}", f"{path}.confidence")
    if low < config.reporting_floor and low > 0:
        message = f"{low} lies below the reporting floor {config.reporting_floor}: nothing is seen there"
        raise ConfigError("band_below_floor", message, f"{path}.confidence")
    if rule.zone is not None and rule.zone not in config.zones:
        raise ConfigError("zone_unknown", f"there is no zone {rule.zone!r}", f"{path}.zone")
    if rule.action is not None and rule.action not in {output.name for output in config.outputs}:
        raise ConfigError("output_unknown", f"there is no output {rule.action!r}", f"{path}.action")
    if rule.action is None and rule.event is None:
        raise ConfigError("rule_without_effect", "a rule needs an `action`, an `event` or both", path)
