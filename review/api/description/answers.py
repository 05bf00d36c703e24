"""The documents that calls answer with, as `rendering` makes them.

A later version may say more: clients leave out what they do not know. tests/threats/test_schema.py holds real answers
against these shapes, and there a member that is not described is a fault.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

from pydantic import Field

from inference.models.registry import Task
from review.models import Outcome, ReleaseState
from review.models.event import EventKind, ParkingCause, Routed
from review.models.hold import HoldState
from review.models.item import ItemState
from review.models.verdict import Answer

Number = float
Attributes = dict[str, str | float | bool | None]
Box = Annotated[list[Number], Field(min_length=4, max_length=4, description="`[x, y, width, height]` in pixels.")]
Point = Annotated[list[Number], Field(min_length=2, max_length=2)]
Polygon = Annotated[list[Point], Field(description="`[[x, y], ...]` in pixels.")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
EvidenceStatus = Annotated[Literal["stored", "pending"], Field(description="`pending`: send the bytes by PUT.")]


class Fault(TypedDict):
    """One fault of a body, by its place and never by its value."""

    path: Annotated[str, Field(description="JSON path, such as `$.predictions[0].box`.")]
    message: str


class Current(TypedDict):
    """The state of an item that would not take an answer."""

    state: ItemState
    version: int
    outcome: Outcome | None
    labels: NotRequired[list["Label"]]


class Problem(TypedDict):
    """An error (RFC 9457). Go by `code`, which is stable; the texts are for people and may change."""

    type: Annotated[str, Field(description="`urn:secondlook:` and the code.")]
    title: str
    status: int
    code: str
    detail: NotRequired[str]
    request_id: NotRequired[Annotated[str | None, Field(description="As in the header `X-Request-ID` and in the log.")]]
    errors: NotRequired[Annotated[list[Fault], Field(max_length=20)]]
    id: NotRequired[Annotated[UUID, Field(description="With `event_conflict`: the event that was there first.")]]
    received: NotRequired[Annotated[int, Field(description="With `offset_mismatch`: how many bytes there are.")]]
    current: NotRequired[Current]
    classes: NotRequired[Annotated[list[str], Field(description="With `unknown_class`: the names that are none.")]]
    excluded: NotRequired[Annotated[dict[str, int], Field(description="With `nothing_to_release`: how many, why.")]]
    retry_after: NotRequired[Annotated[int, Field(description="Seconds, as in the header.")]]


class SourceState(TypedDict):
    """Who a source token is."""

    name: str
    site: Annotated[str, Field(description="Short name of the site.")]
    camera: Annotated[str | None, Field(description="Short name of the camera that the token is bound to.")]
    open_items: Annotated[int, Field(description="Items of this source that nobody has answered yet.", ge=0)]


class Taken(TypedDict):
    """What became of a posted event."""

    id: Annotated[UUID, Field(description="The server's own id, which all addresses use.")]
    event_id: UUID
    status: Literal["created", "duplicate"]
    evidence: Annotated[dict[str, EvidenceStatus], Field(description="By the name of each evidence.")]


class BatchResult(TypedDict):
    """What became of one event of a batch."""

    event_id: Annotated[str | None, Field(description="As it was sent; null when it was no text.")]
    status: Annotated[
        Literal["created", "duplicate", "retry", "rejected"],
        Field(description="`retry`: send it again later as it is. `rejected`: it will be refused again."),
    ]
    id: NotRequired[Annotated[UUID, Field(description="With `created` and `duplicate`.")]]
    code: NotRequired[Annotated[str, Field(description="With `retry` and `rejected`: as in a problem document.")]]


class BatchTaken(TypedDict):
    """The results of a batch, in the order of its events."""

    results: list[BatchResult]


class EvidenceStored(TypedDict):
    """All bytes are there."""

    status: Literal["stored"]


class EvidencePartial(TypedDict):
    """Some bytes are there; go on at `received`."""

    status: Literal["partial"]
    received: Annotated[int, Field(ge=0)]


class EvidenceAwaited(TypedDict):
    """How much of a file has come."""

    status: Literal["stored", "partial", "pending"]
    received: NotRequired[Annotated[int, Field(description="Bytes from the beginning; absent once stored.", ge=0)]]


class CountsStored(TypedDict):
    """Totals were kept."""

    status: Literal["stored"]
    rows: Annotated[int, Field(description="Rows that are new or have grown.", ge=0)]


Label = TypedDict(
    "Label",
    {
        "class": str,
        "index": NotRequired[Annotated[int, Field(description="Permanent index of the class; old labels have none.")]],
        "box": NotRequired[Box],
        "polygon": NotRequired[Polygon],
        "attributes": Attributes,
        "prediction": NotRequired[Annotated[str, Field(description="The prediction that it takes over or corrects.")]],
    },
)
Label.__doc__ = "What a person said of one thing in the frame; may be sent back as it is."


class Spoken(TypedDict):
    """A verdict as a machine that waits is told."""

    id: UUID
    answer: Answer
    labels: list[Label]
    complete: bool | None
    note: str


class HoldAnswer(TypedDict):
    """What a machine that waits is told. Exactly one of verdict and fallback acts."""

    state: Annotated[
        HoldState,
        Field(description="`waiting`: ask again. `expired`, `withdrawn`: fall back. `answered`: the verdict acts."),
    ]
    verdict: NotRequired[Spoken]
    answered_at: NotRequired[datetime]
    by: NotRequired[Annotated[str, Field(description="Name of the person.")]]


class FrameSize(TypedDict):
    """Pixels of the upright frame."""

    width: int
    height: int


class Model(TypedDict):
    """The model that looked."""

    name: str
    version: str
    sha256: str | None


Prediction = TypedDict(
    "Prediction",
    {
        "id": str,
        "class": str,
        "confidence": Number,
        "box": NotRequired[Box],
        "polygon": NotRequired[Polygon],
        "alternatives": NotRequired[dict[str, Number]],
        "track": NotRequired[str],
        "attributes": NotRequired[Attributes],
    },
)
Prediction.__doc__ = "What the model said of one thing in the frame."


class Evidence(TypedDict):
    """A file that shows the event."""

    name: str
    role: Literal["frame", "crop", "clip", "context"]
    sha256: Sha256
    content_type: str
    offset: Point
    scale: Number
    level: int
    state: Annotated[
        Literal["pending", "stored", "damaged", "removed"],
        Field(description="`damaged`: it cannot be decoded. `removed`: the rules of retention took it."),
    ]


class Action(TypedDict):
    """What the machine did by itself."""

    name: str
    done_at: datetime


class Event(TypedDict):
    """An event as it was posted, with what the server knows beside it."""

    id: UUID
    event_id: UUID
    site: UUID
    source: UUID
    captured_at: datetime
    received_at: datetime
    clock_skewed: Annotated[bool, Field(description="The time of capture cannot be right; it is kept as it was sent.")]
    kind: EventKind
    camera: str | None
    frame: FrameSize
    model: Model | None
    task: Task
    reporting_floor: Number | None
    thresholds: dict[str, Number]
    predictions: list[Prediction]
    subject: list[str]
    flags: list[str]
    rule: str | None
    sampling_probability: Number | None
    evidence: list[Evidence]
    action: Action | None
    stamps: dict[str, str | int]
    latency_ms: dict[str, Number]
    context: Attributes
    historical: bool


class Names(TypedDict):
    """What the names of an event stand for at its site."""

    camera: str | None
    classes: Annotated[dict[str, str], Field(description="Classes of the model that are called otherwise here.")]


class NamedEvent(Event):
    """An event with what its names stand for."""

    names: Names


Reason = TypedDict(
    "Reason",
    {
        "rule": str,
        "explanation": str,
        "policy_version": int,
        "prediction": Annotated[str | None, Field(description="The prediction that the rule matched.")],
        "class": str,
        "confidence": Number | None,
        "low": Number | None,
        "high": Number | None,
        "sampling_rate": Number,
        "escalated": NotRequired[Annotated[dict[str, str], Field(description="Who handed it up, whence, and why.")]],
    },
)
Reason.__doc__ = "Why an item is in its queue."


class Item(TypedDict):
    """An event that waits in a queue, or waited."""

    id: UUID
    queue: UUID
    state: ItemState
    version: Annotated[int, Field(description="Grows with every change; a verdict names the one that it is about.")]
    priority: Annotated[int, Field(description="1 is the most urgent.")]
    due_at: datetime
    held_until: Annotated[datetime | None, Field(description="Until then a machine waits for the answer.")]
    reason: Reason
    sampling_probability: Annotated[Number | None, Field(description="Source times server; null is unknown.")]
    outcome: Outcome | None
    decided_at: datetime | None


class Verdict(Spoken):
    """One person's answer."""

    by: str
    at: datetime
    retracted: bool


class Hold(TypedDict):
    """The machine that waits, or waited."""

    state: HoldState
    fallback: str
    deadline_at: datetime
    resolved_at: datetime | None


class Parked(TypedDict):
    """A name that the site does not know yet."""

    cause: ParkingCause
    value: str


class Routing(TypedDict):
    """What a policy version made of the event."""

    at: datetime
    decision: Routed
    rule: str | None


class EventStory(NamedEvent):
    """An event with its item, its verdicts and how it was routed."""

    item: Item | None
    hold: Hold | None
    verdicts: list[Verdict]
    outcome: Outcome | None
    parked: list[Parked]
    history: list[Routing]


class EventPage(TypedDict):
    """Events, newest first."""

    results: list[Event]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null at the end.")]


class Queue(TypedDict):
    """A queue, and how much waits in it."""

    id: UUID
    site: UUID
    slug: str
    name: str
    open: Annotated[int, Field(ge=0)]
    claimable: Annotated[int, Field(description="Open items that this person could claim now.", ge=0)]


class Claim(TypedDict):
    """A lease on an item."""

    id: UUID
    token: Annotated[UUID, Field(description="The `claim_token` of the verdict.")]
    expires_at: datetime


class ClaimedItem(Item):
    """A claimed item with its event."""

    event: NamedEvent


class Claimed(TypedDict):
    """A claim and what was claimed."""

    claim: Claim
    item: ClaimedItem


class WhyEmpty(TypedDict):
    """Items that wait, and why they are not for this person."""

    claimed_by_others: int
    not_yours: int
    snoozed: int


class NothingToClaim(TypedDict):
    """There is nothing for this person to do."""

    claim: None
    why: WhyEmpty


class ClaimKept(TypedDict):
    """The claim lasts until then."""

    expires_at: datetime


class VerdictGiven(TypedDict):
    """The answer counts."""

    id: UUID
    outcome: Outcome


class FinalOutcome(TypedDict):
    """An outcome that nobody can take back any more."""

    cursor: Annotated[str, Field(description="Ask for what came `after` it.")]
    event_id: UUID
    source: UUID
    id: Annotated[UUID, Field(description="The event's id.")]
    outcome: Outcome
    labels: list[Label]
    at: datetime


class OutcomePage(TypedDict):
    """Final outcomes in the order of their numbers."""

    results: list[FinalOutcome]


class ReleaseBegun(TypedDict):
    """A release that is being built."""

    id: UUID
    state: ReleaseState


class Release(TypedDict):
    """A release and how far it is."""

    id: UUID
    site: UUID
    number: int
    name: str
    state: ReleaseState
    done: Annotated[int, Field(description="Pictures that are written.")]
    total: int
    failure: str | None
    created_at: datetime
    ready_at: datetime | None


class ReleasePage(TypedDict):
    """The newest releases, at most 200."""

    results: list[Release]


class ReleaseFile(TypedDict):
    """One file of a release."""

    name: str
    size: int
    sha256: Sha256


class ReleaseStory(Release):
    """A release with its recipe, its counts and the files that describe it."""

    recipe: Annotated[dict[str, Any], Field(description="What it was made of, complete enough to make it again.")]
    summary: Annotated[dict[str, Any], Field(description="Counts by class and split, what was left out and why.")]
    files: Annotated[list[ReleaseFile], Field(max_length=1000, description="Pictures and labels are not listed.")]
