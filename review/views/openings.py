"""Giving a reason before seeing an event, for those who may see it only so."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.doors import person_of, signed_in
from review.access import openable_event_for
from review.actions.openings import open_events
from review.forms import OpeningForm


@require_http_methods(["GET", "POST"])
@signed_in("open_events on the site; says nothing of the event before")
def open_event(request: HttpRequest, pk: UUID) -> HttpResponse:
    event = openable_event_for(request.user, pk)
    form = OpeningForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = None if form.cleaned_data["what"] == OpeningForm.SITE else event
        reason = form.cleaned_data["reason"]
        open_events(person=person_of(request), site=event.site, event=what, reason=reason, now=timezone.now())
        return redirect("event", pk)
    return render(request, "review/open_event.html", {"form": form}, status=422 if request.method == "POST" else 200)
