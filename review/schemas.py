"""The shapes that cross the line, as docs/contract has them: strict, bounded, no unknown keys.

Coordinates are pixels of the upright frame, origin top left, y down; boxes are `[x, y, width, height]`.
"""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from accounts.exceptions import Invalid

MAX_PREDICTIONS = 1000
MAX_POINTS = 2000
MAX_SCALAR_CHARACTERS = 500
# What every JSON reader keeps exactly (RFC 7493, I-JSON).
MAX_EXACT = 2**53 - 1
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
CANONICAL_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def printable(text: str) -> str:
    """Refuse what a database or a screen cannot carry: control characters and lone surrogates."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise ValueError("must not contain control characters or lone surrogates")
    return text


def printable_lines(text: str) -> str:
    """As `printable`, but a note may have line breaks and tabs."""
    printable(text.replace("\n", "").replace("\r", "").replace("\t", ""))
    return text


def is_printable(text: str) -> bool:
    """Whether a note from outside can be kept and shown."""
    try:
        printable_lines(text)
    except ValueError:
        return False
    return True


def carried(moment: datetime) -> datetime:
    """Refuse an instant so near the ends of the calendar that no time zone or database carries it."""
    if not 2 <= moment.year <= 9998:
        raise ValueError("time_out_of_range")
    return moment


def timestamp(value: Any) -> Any:
    """Only RFC 3339 with a zone: pydantic alone would read a bare number as seconds since 1970."""
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 time with a zone")
    return value


def canonical_uuid(value: Any) -> Any:
    """One spelling per id, so that the same id is never two bodies."""
    if not isinstance(value, str) or not CANONICAL_UUID.fullmatch(value):
        raise ValueError("must be a UUID in its canonical form")
    return value


def scalar(value: Any) -> Any:
    """A free value. One function and no union, so that a fault is named by its place and not by each alternative."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= MAX_SCALAR_CHARACTERS:
        return printable(value)
    if isinstance(value, int | float) and abs(value) <= MAX_EXACT:
        return value
    raise ValueError("must be text of at most 500 characters, a number within 2^53, true, false or null")


def number_or_name(value: Any) -> Any:
    """The number or the name of a configuration."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not 1 <= len(value) <= 60):
        raise ValueError("must be a whole number or a name")
    if isinstance(value, float):
        raise ValueError("must be a whole number or a name")
    return scalar(value)


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(printable)]
Short = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(printable)]
Title = Annotated[str, Field(max_length=120), AfterValidator(printable)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# Strict: "0.5" and true are no numbers.
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Number = Annotated[float, Field(strict=True, ge=-1e9, le=1e9, allow_inf_nan=False)]
Extent = Annotated[float, Field(strict=True, gt=0, le=1e9, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Id = Annotated[UUID, BeforeValidator(canonical_uuid)]
Instant = Annotated[AwareDatetime, BeforeValidator(timestamp), AfterValidator(carried)]
Box = tuple[Number, Number, Extent, Extent]
Polygon = Annotated[list[tuple[Number, Number]], Field(min_length=3, max_length=MAX_POINTS)]
Scalar = Annotated[
    Any, AfterValidator(scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"], "maxLength": 500})
]
NumberOrName = Annotated[Any, AfterValidator(number_or_name), WithJsonSchema({"type": ["integer", "string"]})]
Attributes = Annotated[dict[Name, Scalar], Field(max_length=50)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Frame(Strict):
    width: int = Field(ge=1, le=65535, strict=True)
    height: int = Field(ge=1, le=65535, strict=True)

    def touches(self, polygon: list[tuple[float, float]]) -> bool:
        """Whether the box around a polygon shares an area with the frame."""
        xs, ys = [x for x, _y in polygon], [y for _x, y in polygon]
        return min(xs) < self.width and min(ys) < self.height and max(xs) > 0 and max(ys) > 0


class ModelIn(Strict):
    name: Name
    version: Short
    sha256: Sha256 | None = None


class PredictionIn(Strict):
    id: Short
    class_: Name = Field(alias="class")
    confidence: Share
    box: Box | None = None
    polygon: Polygon | None = None
    alternatives: Annotated[dict[Name, Share], Field(max_length=100)] = Field(default_factory=dict)
    track: Short | None = None
    attributes: Attributes = Field(default_factory=dict)


class EvidenceIn(Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
    role: Literal["frame", "crop", "clip", "context"]
    sha256: Sha256
    content_type: Short
    offset: tuple[Number, Number] = (0.0, 0.0)
    scale: Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)] = 1.0
    level: int = Field(default=6, ge=0, le=6, strict=True)


class ActionIn(Strict):
    name: Name
    done_at: Instant


class HoldIn(Strict):
    deadline_s: Annotated[float, Field(strict=True, gt=0, le=3600, allow_inf_nan=False)]
    fallback: Name


class StampsIn(Strict):
    agent: Short | None = None
    config: NumberOrName | None = None
    rules: Name | None = None
    boot_id: Name | None = None
    seq: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)] | None = None
    clock: Short | None = None


class EventIn(Strict):
    """One frame with all predictions at or above the source's reporting floor."""

    event_id: Id
    captured_at: Instant
    kind: Literal["unsure", "flagged", "sample", "report"]
    camera: Name | None = None
    frame: Frame
    model: ModelIn | None = None
    task: Literal["classification", "detection", "segmentation"]
    reporting_floor: Share | None = None
    thresholds: Annotated[dict[Name, Share], Field(max_length=1000)] = Field(default_factory=dict)
    predictions: Annotated[list[PredictionIn], Field(max_length=MAX_PREDICTIONS)]
    subject: Annotated[list[Short], Field(max_length=MAX_PREDICTIONS)] = Field(default_factory=list)
    flags: Annotated[list[Short], Field(max_length=20)] = Field(default_factory=list)
    rule: Name | None = None
    sampling_probability: Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)] | None = None
    evidence: Annotated[list[EvidenceIn], Field(max_length=10)]
    action: ActionIn | None = None
    hold: HoldIn | None = None
    stamps: StampsIn = Field(default_factory=StampsIn)
    latency_ms: Annotated[
        dict[Short, Annotated[float, Field(strict=True, ge=0, le=1e9, allow_inf_nan=False)]], Field(max_length=20)
    ] = Field(default_factory=dict)
    context: Annotated[dict[Name, Scalar], Field(max_length=50)] = Field(default_factory=dict)
    historical: Flag = False

    @model_validator(mode="after")
    def whole(self) -> Self:
        """What no single field can say: references, geometry for the task, a model unless a person reports."""
        if self.model is None and self.kind != "report":
            raise ValueError("model: is required unless kind is report")
        ids = [prediction.id for prediction in self.predictions]
        if len(set(ids)) != len(ids):
            raise ValueError("predictions: every id must be there once only")
        if unknown := set(self.subject) - set(ids):
            raise ValueError(f"subject: names no prediction: {sorted(unknown)[0]}")
        names = [evidence.name for evidence in self.evidence]
        if len(set(names)) != len(names):
            raise ValueError("evidence: every name must be there once only")
        for place, prediction in enumerate(self.predictions):
            self.check_geometry(place, prediction)
        return self

    def check_geometry(self, place: int, prediction: PredictionIn) -> None:
        at = f"predictions[{place}]"
        if self.task == "classification" and (prediction.box or prediction.polygon):
            raise ValueError(f"{at}: a classification has no geometry")
        if self.task == "detection" and prediction.box is None:
            raise ValueError(f"{at}.box: is required for detection")
        if self.task == "segmentation" and prediction.polygon is None:
            raise ValueError(f"{at}.polygon: is required for segmentation")
        if prediction.polygon is not None and not self.frame.touches(prediction.polygon):
            raise ValueError(f"{at}.polygon: lies outside the frame")
        if prediction.box is not None:
            x, y, width, height = prediction.box
            if x >= self.frame.width or y >= self.frame.height or x + width <= 0 or y + height <= 0:
                raise ValueError(f"{at}.box: lies outside the frame")


class LabelIn(Strict):
    class_: Name = Field(alias="class")
    box: Box | None = None
    polygon: Polygon | None = None
    attributes: Attributes = Field(default_factory=dict)
    prediction: Short | None = None
    # As answers carry it, so that a label can be sent back as it came; the name decides.
    index: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None


class VerdictIn(Strict):
    """One answer; `complete` is required for confirm and correct."""

    key: Id
    claim_token: Id
    version: int = Field(ge=1, le=2**31 - 3, strict=True)
    answer: Literal["confirm", "correct", "empty", "unsure", "bad_image"]
    labels: Annotated[list[LabelIn], Field(max_length=MAX_PREDICTIONS)] = Field(default_factory=list)
    complete: Flag | None = None
    note: Annotated[str, Field(max_length=2000), AfterValidator(printable_lines)] | None = None
    seconds: Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def whole(self) -> Self:
        if self.answer in {"confirm", "correct"} and self.complete is None:
            raise ValueError("complete: is required for confirm and correct")
        if self.answer not in {"confirm", "correct"} and self.labels:
            raise ValueError(f"labels: do not go with {self.answer}")
        return self


def json_path(location: tuple[int | str, ...]) -> str:
    """`("predictions", 0, "box")` as `$.predictions[0].box`."""
    parts = [part for part in location if part != "[key]"]
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def read[T: Strict](schema: type[T], value: Any) -> T:
    """`value` as `schema`. Raises Invalid `schema` with one entry per fault, or `time_out_of_range`."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise refusal(error) from None
    except (OverflowError, RecursionError):
        raise Invalid("A number is too large.", code="schema") from None


def refusal(error: ValidationError) -> Invalid:
    """A pydantic error as our own, naming the JSON path and the fault of each entry, and no value."""
    errors = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False)[:20]:
        path, message = json_path(fault["loc"]), fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "value_error" and not fault["loc"] and ": " in message:
            place, message = message.split(": ", 1)
            path = f"$.{place}"
        errors.append({"path": path, "message": message})
    out_of_range = any(fault["message"] == "time_out_of_range" for fault in errors)
    first = errors[0]
    return Invalid(
        f"{first['path']}: {first['message']}", code="time_out_of_range" if out_of_range else "schema", errors=errors
    )
