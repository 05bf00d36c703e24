"""My answers: the last ones, and how one that turned out wrong is opened again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import SecondLookError
from accounts.roles import Right
from review.access import answers_of, queues_for, verdict_to_reopen
from review.actions.reopening import reopen as reopen_verdict
from review.desk import thumbnail_url
from review.models import EventEvidence, Verdict

SHOWN = 50


@require_safe
@signed_in("the own answers, in queues with review_items")
def answers(request: HttpRequest) -> HttpResponse:
    """The person's last answers, the newest first."""
    evidence = Prefetch(
        "item__event__evidence_rows",
        EventEvidence.objects.select_related("evidence").prefetch_related("evidence__renditions"),
    )
    rows = answers_of(request.user).select_related("retraction", "reopening").prefetch_related(evidence)[:SHOWN]
    now = timezone.now()
    context = {"rows": [row_of(verdict, now) for verdict in rows], "shown": SHOWN}
    return render(request, "review/answers.html", context)


def row_of(verdict: Verdict, now: Any) -> dict[str, Any]:
    item = verdict.item
    gone = hasattr(verdict, "retraction") or hasattr(verdict, "reopening")
    final = now >= verdict.final_at
    return {
        "verdict": verdict,
        "event": item.event,
        "classes": ", ".join(dict.fromkeys(label["class"] for label in verdict.labels[:20])),
        "thumb": thumbnail_url(item.event),
        "gone": gone,
        "final": final,
        "decides": item.verdict_id == verdict.pk,
        "may_reopen": not gone and final and item.verdict_id == verdict.pk and item.queue.allows_reopening,
    }


@require_http_methods(["GET", "POST"])
@signed_in("the own answer where the queue allows it, or manage_queues on its queue")
def reopen(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say why an answer is opened again, and go on to its queue."""
    verdict, trouble = verdict_to_reopen(request.user, pk), ""
    if request.method == "POST":
        try:
            item = reopen_verdict(
                verdict=verdict, person=person_of(request), reason=request.POST.get("reason", ""), now=timezone.now()
            )
        except SecondLookError as error:
            trouble = str(error.detail)
        else:
            messages.success(request, _("It is open again, and kept for you."))
            works = queues_for(request.user, Right.REVIEW).filter(pk=item.queue_id).exists()
            return redirect(reverse("desk", args=[item.queue_id]) if works else reverse("event", args=[item.event_id]))
    context = {"verdict": verdict, "trouble": trouble, "said": request.POST.get("reason", "")}
    return render(request, "review/reopen.html", context, status=422 if trouble else 200)
