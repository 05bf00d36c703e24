"""Events: sources post them, people read them."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Query, Router

from accounts import audit
from accounts.exceptions import Invalid, SecondLookError
from accounts.models import User
from inference.models import Source, TallyOutcome
from inference.tallies import tallies
from review import pressure, schemas
from review.access import event_for, events_for, opening_of
from review.actions.evidence import store_evidence
from review.actions.intake import Taken, take_in
from review.api.auth import Personal, SourceToken, caller_of, posting_source_of, source_of
from review.api.bodies import json_body, multipart_body
from review.api.rendering import WITH_EVIDENCE, event_document, event_story
from review.models import Event, Opening
from review.paging import page_of
from review.strict_json import require_unique
from review.views.events import by_site, through

router = Router(tags=["events"])
BATCH = 100
LONGEST_WORD = 200
# What may be sent again later, as it is.
LATER = frozenset({429, 503})


def taken_document(taken: Taken) -> dict[str, Any]:
    return {
        "id": str(taken.event.pk),
        "event_id": str(taken.event.event_id),
        "status": "created" if taken.created else "duplicate",
        "evidence": taken.evidence,
    }


def tell(source: Source, taken: Taken) -> None:
    """Count what became of an event."""
    tallies.count(source.pk, TallyOutcome.CREATED if taken.created else TallyOutcome.DUPLICATE)


@router.post("events", auth=SourceToken(), summary="Post one event, effectively once")
def post_event(request: HttpRequest) -> HttpResponse:
    source, now = posting_source_of(request), timezone.now()
    pressure.require_rate(source)
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        body, files = multipart_body(request)
    else:
        body = json_body(request)
    posted = schemas.read(schemas.EventIn, body)
    taken = take_in(source=source, posted=posted, body=body, files=files, now=now)
    for evidence in posted.evidence:
        # A repeat may bring the bytes that the first post only announced.
        if evidence.name in files and taken.evidence[evidence.name] == "pending":
            data = files[evidence.name]
            store_evidence(
                source=source, sha256=evidence.sha256, content_type=evidence.content_type, data=data, now=now
            )
            taken.evidence[evidence.name] = "stored"
    tell(source, taken)
    return JsonResponse(taken_document(taken), status=201 if taken.created else 200)


@router.post("events/batch", auth=SourceToken(), summary="Post up to 100 events; each has its own result")
def post_event_batch(request: HttpRequest) -> HttpResponse:
    posting_source_of(request)
    # A key that stands twice within an event is that event's fault alone.
    body = json_body(request, most=20_000_000, deep=False)
    events = body.get("events") if isinstance(body, dict) and set(body) == {"events"} else None
    if not isinstance(events, list) or not 1 <= len(events) <= BATCH:
        said = f'Send {{"events": [...]}} with 1 to {BATCH} events.'
        raise Invalid(said, code="schema", errors=[{"path": "$.events", "message": said}])
    return JsonResponse({"results": [batch_result(request, event) for event in events]})


def batch_result(request: HttpRequest, event: Any) -> dict[str, Any]:
    """What became of one event of a batch; its neighbours never suffer from it."""
    event_id, source = event.get("event_id") if isinstance(event, dict) else None, source_of(request)
    result: dict[str, Any] = {"event_id": event_id if isinstance(event_id, str) else None}
    try:
        pressure.require_rate(source)
        require_unique(event)
        posted = schemas.read(schemas.EventIn, event)
        taken = take_in(source=source, posted=posted, body=event, files={}, now=timezone.now())
    except SecondLookError as error:
        status = "retry" if error.status in LATER else "rejected"
        tallies.count(source.pk, TallyOutcome.LATER if status == "retry" else TallyOutcome.REJECTED, error.code)
        return result | {"status": status, "code": error.code}
    tell(source, taken)
    return result | {"status": taken_document(taken)["status"], "id": str(taken.event.pk)}


@router.get("events", auth=Personal("events:read"), summary="Events that you may see, newest first")
def list_events(
    request: HttpRequest,
    cursor: str = "",
    site: str = Query("", max_length=LONGEST_WORD),  # type: ignore[type-arg]
    camera: str = Query("", max_length=LONGEST_WORD),  # type: ignore[type-arg]
    model: str = Query("", max_length=LONGEST_WORD),  # type: ignore[type-arg]
    class_: str = Query("", alias="class", max_length=LONGEST_WORD),  # type: ignore[type-arg]
    outcome: str = Query("", max_length=LONGEST_WORD),  # type: ignore[type-arg]
    from_: schemas.Instant | None = Query(None, alias="from"),  # type: ignore[type-arg]  # noqa: B008
    to: schemas.Instant | None = None,
    limit: int = Query(50, ge=1, le=200),  # type: ignore[type-arg]
) -> dict[str, Any]:
    rows = events_for(caller_of(request)).prefetch_related(WITH_EVIDENCE)
    wanted = {
        "site__slug": site if site and not is_id(site) else None,
        "site_id": site if is_id(site) else None,
        "model_name": model or None,
        "top_class": class_ or None,
        "items__outcome": outcome or None,
        "received_at__gte": from_,
        "received_at__lte": to,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if camera:
        rows = rows.filter(Q(camera_name=camera) | Q(names__camera__slug=camera))
    found, following = page_of(rows.select_related("site"), cursor, size=limit)
    record_page(caller_of(request), found, {"camera": camera, "class": class_}, cursor)
    return {"results": [event_document(event) for event in found], "next": following}


def is_id(text: str) -> bool:
    """Whether a site is named by its id; otherwise it is a short name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@router.get("events/{uuid:pk}", auth=Personal("events:read"), summary="One event with its whole story")
def get_event(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    event = event_for(caller_of(request), pk)
    record_view(caller_of(request), event, opening_of(caller_of(request), event))
    return event_document(event) | event_story(event)


def record_page(person: User, found: list[Event], typed: dict[str, str], cursor: str) -> None:
    """What was searched for, and per site which events were read."""
    typed = {name: value for name, value in typed.items() if value}
    with transaction.atomic():
        if typed and not cursor:
            audit.record("search.made", actor=person, action=audit.Action.ACCESS, area="events", filter=typed)
        for site, events in by_site(found):
            audit.record(
                "events.read",
                actor=person,
                on=site,
                site_id=site.pk,
                action=audit.Action.ACCESS,
                count=len(events),
                events=[str(event.pk) for event in events],
            )


def record_view(person: User, event: Event, opening: Opening | None) -> None:
    """One event was read, perhaps for a reason that was given before."""
    with transaction.atomic():
        audit.record(
            "event.read",
            actor=person,
            on=event,
            site_id=event.site_id,
            action=audit.Action.ACCESS,
            **through(opening),
        )
