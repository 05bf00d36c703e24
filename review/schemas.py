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
    # The text below a field describes it in openapi.json.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Frame(Strict):
    """The size of the upright frame."""

    width: int = Field(ge=1, le=65535, strict=True)
    """Pixels of the upright frame (EXIF orientation applied)."""
    height: int = Field(ge=1, le=65535, strict=True)
    """Pixels of the upright frame."""

    def touches(self, polygon: list[tuple[float, float]]) -> bool:
        """Whether the box around a polygon shares an area with the frame."""
        xs, ys = [x for x, _y in polygon], [y for _x, y in polygon]
        return min(xs) < self.width and min(ys) < self.height and max(xs) > 0 and max(ys) > 0


class ModelIn(Strict):
    """The model that looked."""

    name: Name
    """As the site registered it; an unknown one waits in the inbox."""
    version: Short
    """The version, compared as text."""
    sha256: Sha256 | None = None
    """Hex digest of the model's file. Devices send it; without it the model counts as unattested."""


class PredictionIn(Strict):
    """What the model said of one thing in the frame."""

    id: Short
    """Chosen by the source, once per event; `subject` and labels refer to it."""
    class_: Name = Field(alias="class")
    """The class in the model's own words."""
    confidence: Share
    """0 to 1, as the model said it."""
    box: Box | None = None
    """`[x, y, width, height]` in pixels of the upright frame. Required for `detection`."""
    polygon: Polygon | None = None
    """`[[x, y], ...]` in pixels of the upright frame. Required for `segmentation`."""
    alternatives: Annotated[dict[Name, Share], Field(max_length=100)] = Field(default_factory=dict)
    """Other classes that the model considered, with their confidence."""
    track: Short | None = None
    """The id of the thing over many frames; one event per track shows its best frame."""
    attributes: Attributes = Field(default_factory=dict)
    """Free values, kept and shown."""


class EvidenceIn(Strict):
    """A file that shows the event, announced by its digest."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
    """Once per event. The multipart part with the bytes has this name."""
    role: Literal["frame", "crop", "clip", "context"]
    """`frame`: all of it. `crop`: a part, placed by `offset` and `scale`. `clip`: a video. `context`: the rest."""
    sha256: Sha256
    """Hex digest of the bytes that come with the event or later by `PUT evidence/{sha256}`."""
    content_type: Short
    """`image/jpeg`, `image/png`, `image/webp`, `video/mp4` or `video/webm`; the bytes must be of this type."""
    offset: tuple[Number, Number] = (0.0, 0.0)
    """Where the left upper corner of a crop lies, in pixels of the frame."""
    scale: Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)] = 1.0
    """Pixels of the frame per pixel of the crop: a place in the frame is `offset + scale * place in the crop`."""
    level: int = Field(default=6, ge=0, le=6, strict=True)
    """What was let out: 2 embedding, 3 redacted crop, 4 redacted frame, 5 redacted clip, 6 as it was taken."""


class ActionIn(Strict):
    """What the machine did by itself."""

    name: Name
    """Such as `line_stop`."""
    done_at: Instant
    """When it did."""


class HoldIn(Strict):
    """A machine waits for an answer."""

    deadline_s: Annotated[float, Field(strict=True, gt=0, le=3600, allow_inf_nan=False)]
    """Seconds that the machine waits, from when the server took the event in."""
    fallback: Name
    """What the machine does when nobody answers in time."""


class StampsIn(Strict):
    """What posted the event, and in which state."""

    agent: Short | None = None
    """Version of the program that posts."""
    config: NumberOrName | None = None
    """Version of its settings."""
    rules: Name | None = None
    """Version or digest of its rules."""
    boot_id: Name | None = None
    """Changes at every start of the machine."""
    seq: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)] | None = None
    """Running number within one boot; gaps show what was lost."""
    clock: Short | None = None
    """Such as `synced` or `free`."""


class EventIn(Strict):
    """One frame with all predictions at or above the source's reporting floor."""

    event_id: Id
    """UUID in its canonical form, chosen by the source; with the source it is the key of the event."""
    captured_at: Instant
    """RFC 3339 with a zone: when the frame was taken."""
    kind: Literal["unsure", "flagged", "sample", "report"]
    """`unsure`, `flagged` by a rule, `sample` (random or periodic), or `report` (a person saw it)."""
    camera: Name | None = None
    """Short name of the camera; the token's camera when left out."""
    frame: Frame
    """The size of the upright frame that all coordinates refer to."""
    model: ModelIn | None = None
    """Required unless `kind` is `report`."""
    task: Literal["classification", "detection", "segmentation"]
    """`detection`: each prediction has a box. `segmentation`: each has a polygon. `classification`: none has either."""
    reporting_floor: Share | None = None
    """Confidence below which the source sends nothing."""
    thresholds: Annotated[dict[Name, Share], Field(max_length=1000)] = Field(default_factory=dict)
    """By class, from which confidence on the source takes a prediction for true."""
    predictions: Annotated[list[PredictionIn], Field(max_length=MAX_PREDICTIONS)]
    """All of the frame at or above the reporting floor, not only the doubtful ones; may be empty."""
    subject: Annotated[list[Short], Field(max_length=MAX_PREDICTIONS)] = Field(default_factory=list)
    """Ids of the predictions that made this an event."""
    flags: Annotated[list[Short], Field(max_length=20)] = Field(default_factory=list)
    """Why the source found it worth a look."""
    rule: Name | None = None
    """The source's rule that posted it."""
    sampling_probability: Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)] | None = None
    """The chance with which the source chose to post this frame; 1 when a rule always posts. Unknown when left out."""
    evidence: Annotated[list[EvidenceIn], Field(max_length=10)]
    """What shows the event; may be empty. Bytes come with it or later."""
    action: ActionIn | None = None
    """What the machine has done already."""
    hold: HoldIn | None = None
    """A machine waits for the answer: `GET events/{id}/answer`."""
    stamps: StampsIn = Field(default_factory=StampsIn)
    """What posted it, and in which state."""
    latency_ms: Annotated[
        dict[Short, Annotated[float, Field(strict=True, ge=0, le=1e9, allow_inf_nan=False)]], Field(max_length=20)
    ] = Field(default_factory=dict)
    """Milliseconds by step."""
    context: Annotated[dict[Name, Scalar], Field(max_length=50)] = Field(default_factory=dict)
    """Free values such as an order number, kept and shown."""
    historical: Flag = False
    """An old frame that is posted on purpose; its age is no fault of the clock."""

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
    """What a person says of one thing in the frame."""

    class_: Name = Field(alias="class")
    """A class of the queue's taxonomy, or a former name of one."""
    box: Box | None = None
    """`[x, y, width, height]` in pixels of the upright frame, clipped to it."""
    polygon: Polygon | None = None
    """`[[x, y], ...]` in pixels of the upright frame."""
    attributes: Attributes = Field(default_factory=dict)
    """What is said about it besides: by the attributes of its class, or freely where the class has none."""
    prediction: Short | None = None
    """Id of the prediction that this label takes over or corrects."""
    index: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None
    """The permanent index of the class, as answers carry it. The name decides; an index of another class is refused."""


class VerdictIn(Strict):
    """One answer; `complete` is required for confirm and correct."""

    key: Id
    """UUID chosen by the client: the same answer sent again under it counts once."""
    claim_token: Id
    """The `token` of the claim."""
    version: int = Field(ge=1, le=2**31 - 3, strict=True)
    """The item's `version` as it was claimed."""
    answer: Literal["confirm", "correct", "empty", "unsure", "bad_image"]
    """`confirm` the predictions, `correct` them with `labels`, `empty`: nothing is there, `unsure`, `bad_image`."""
    labels: Annotated[list[LabelIn], Field(max_length=MAX_PREDICTIONS)] = Field(default_factory=list)
    """What is there, with `correct`; with `confirm` at most the predictions themselves."""
    complete: Flag | None = None
    """Whether everything in the frame is judged; false: only the subject is. Required for `confirm` and `correct`."""
    note: Annotated[str, Field(max_length=2000), AfterValidator(printable_lines)] | None = None
    """For people; a queue may want one for some answers."""
    seconds: Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)] | None = None
    """How long the person looked."""

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
