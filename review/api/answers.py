"""The answer to a held event, for the machine that waits."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from accounts.exceptions import NotFound
from review import waiting
from review.actions.holds import settle
from review.api.auth import SourceToken, source_of
from review.api.rendering import answer_document
from review.broadcast import hold_group
from review.models import Event, Hold, HoldState

router = Router(tags=["events"])
MOST_WAIT_S = 30.0


@router.get("events/{uuid:pk}/answer", auth=SourceToken(), summary="Wait for the answer to a held event")
def get_answer(
    request: HttpRequest,
    pk: UUID,
    wait: float = Query(0.0, ge=0, le=MOST_WAIT_S),  # type: ignore[type-arg]
) -> HttpResponse:
    """`wait`: seconds to wait for an answer before `waiting` is said. The deadline is the server's."""
    event, now = Event.objects.filter(pk=pk, source=source_of(request)).first(), timezone.now()
    if event is None:
        raise NotFound
    hold = Hold.objects.filter(event=event).select_related("event", "verdict__person").first()
    if hold is None:
        raise NotFound(_("Nobody asked for an answer to this event: it has no hold."), code="not_held")
    hold = settle(hold=hold, now=now)
    response = JsonResponse(answer_document(hold))
    if hold.state == HoldState.WAITING and wait > 0:
        left_s = (hold.deadline_at - now).total_seconds()
        look_s = min(1.0, left_s + 0.01)
        waiting.mark(response, waiting.Pause(group=hold_group(event.pk), most_s=wait, look_s=look_s))
    return response
