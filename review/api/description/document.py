"""openapi.json as a whole."""

from functools import cached_property
from typing import Annotated, Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from pydantic import Field, TypeAdapter

from review import schemas
from review.api.counts import CountsIn
from review.api.description import answers
from review.api.description.call import SCHEMAS, problem, shared_responses
from review.api.description.calls import CALLS
from review.api.events import BATCH
from review.api.releases import RecipeIn

TEXT = """Events in, verdicts out.

Send a bearer token with every call: a *source* token posts events and evidence, a *personal* token reads and reviews
within its scopes. Cookies open nothing here. Times are RFC 3339 with a zone. Coordinates are pixels of the upright
frame (EXIF orientation applied), origin top left, y down; boxes are `[x, y, width, height]`, polygons `[[x, y], ...]`.

Bodies are strict: unknown and duplicate keys are refused with their JSON path. Answers may get new members; leave out
what you do not know. Errors are RFC 9457 problem documents with a stable `code`. What says 429 or 503 may be sent again
as it is after `Retry-After` seconds; every write counts once however often it is sent. Another method on an address of
this API is 405 with `Allow`. Every answer carries `X-Request-ID`.

Bytes that JSON cannot hold stand beside an example in base64 (`x-base64`), headers that it needs in `x-headers`."""
TAGS = {
    "source": "What a source may know about itself.",
    "events": "Sources post events, evidence and counts; people read events.",
    "review": "Queues, claims, verdicts, and the feed of final outcomes.",
    "releases": "Datasets made of outcomes.",
}
SECURITY = {
    "sourceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of one source (`sls_...`), bound to a site and perhaps a camera.",
    },
    "personalToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of a person (`slp_...`). It opens what its scopes name, and within them what the "
        "person's rights allow: `events:read`, `review:write`, `releases:read`, `releases:write`, `admin:read`.",
    },
}
HEADERS = {
    "RequestId": {
        "description": "Names this request in the log and in the audit trail.",
        "schema": {"type": "string"},
        "example": "nN0ayyM7KzYG0J0w",
    },
    "RetryAfter": {
        "description": "Seconds after which the same request may be sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
        "example": 7,
    },
    "Challenge": {
        "description": "How to say who you are.",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "Allow": {
        "description": "The methods that there are.",
        "required": True,
        "schema": {"type": "string"},
        "example": "GET, POST",
    },
}


class BatchIn(schemas.Strict):
    """Events without files; each is judged for itself."""

    events: Annotated[list[schemas.EventIn], Field(min_length=1, max_length=BATCH)]
    """1 to 100 events."""


# The bodies of requests, and the bodies of answers; what they are made of comes with them.
TAKEN = (schemas.EventIn, BatchIn, CountsIn, schemas.VerdictIn, RecipeIn)
TOLD = (
    answers.Problem,
    answers.SourceState,
    answers.Taken,
    answers.BatchTaken,
    answers.HoldAnswer,
    answers.EvidenceStored,
    answers.EvidencePartial,
    answers.EvidenceAwaited,
    answers.CountsStored,
    answers.EventPage,
    answers.EventStory,
    answers.Queue,
    answers.Claimed,
    answers.NothingToClaim,
    answers.ClaimKept,
    answers.VerdictGiven,
    answers.OutcomePage,
    answers.ReleaseBegun,
    answers.ReleasePage,
    answers.ReleaseStory,
)


class DescribedAPI(NinjaAPI):
    """The API, whose openapi.json says of every operation what `CALLS` knows of it."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        return self.described if not where else self.describe(**where)

    @cached_property
    def described(self) -> OpenAPISchema:
        """Made once: anybody may ask for it, and it does not change while the server runs."""
        return self.describe()

    def describe(self, **where: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**where)
        for methods in document["paths"].values():
            for method, operation in methods.items():
                methods[method] = CALLS[operation["operationId"]].complete(operation)
        document["components"] = components()
        document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
        return document


def components() -> dict[str, Any]:
    shapes: list[Any] = [*TAKEN, *TOLD]
    _refs, found = TypeAdapter.json_schemas(
        [(shape, "validation", TypeAdapter(shape)) for shape in shapes], ref_template=SCHEMAS + "{model}"
    )
    not_allowed = problem(405, ["wrong_method", "method_not_allowed"])
    not_allowed["headers"] |= {"Allow": {"$ref": "#/components/headers/Allow"}}
    return {
        "schemas": dict(sorted(found["$defs"].items())),
        "responses": shared_responses() | {"WrongMethod": not_allowed},
        "headers": HEADERS,
        "securitySchemes": SECURITY,
    }
