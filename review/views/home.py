"""Where people land: on what their role is for; while nothing has ever come, on what is to be set up."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import roles_of
from accounts.doors import signed_in
from accounts.roles import Right, Role
from inference.access import sites_in_use, sources_for
from review.access import queues_in_use
from review.models import Event

# The first role of a person in this order decides.
LANDING = {
    Role.OPERATOR: "queues",
    Role.SUPERVISOR: "queues",
    Role.ML_ENGINEER: "releases",
    Role.FLEET_ENGINEER: "sources",
    Role.AUDITOR: "audit",
    Role.ADMINISTRATOR: "people",
}


@require_safe
@signed_in("everybody who is signed in")
def home(request: HttpRequest) -> HttpResponse:
    if steps := steps_left(request):
        return render(request, "review/start.html", {"steps": steps})
    roles = roles_of(request.user)
    for role, page in LANDING.items():
        if role in roles:
            return redirect(page)
    return render(request, "accounts/home_empty.html")


def steps_left(request: HttpRequest) -> list[dict[str, Any]]:
    """What somebody who sets sites up still has to do before the first event; nothing once one has come.

    For who may connect sources and steer queues: a fleet engineer alone lands on his sources, as ever.
    """
    sites = sites_in_use(request.user, Right.MANAGE_SOURCES)
    queues = queues_in_use(request.user, Right.MANAGE_QUEUES)
    steers = sites_in_use(request.user, Right.MANAGE_QUEUES).exists()
    if not steers or not sites or Event.objects.filter(site__in=sites).exists():
        return []
    newest = sources_for(request.user).filter(revoked_at=None).order_by("-created_at").first()
    waiting = reverse("source", args=[newest.pk]) if newest else reverse("sources")
    steps: list[dict[str, Any]] = [
        {"name": "site", "done": True, "url": reverse("sites")},
        {"name": "queue", "done": queues.exists(), "url": reverse("queue-list")},
        {"name": "source", "done": newest is not None, "url": reverse("source-connect")},
        {"name": "event", "done": False, "url": waiting},
    ]
    next(step for step in steps if not step["done"])["next"] = True
    return steps
