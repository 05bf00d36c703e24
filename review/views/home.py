"""Where people land: on what their role is for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.access import roles_of
from accounts.doors import signed_in
from accounts.roles import Role

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
    roles = roles_of(request.user)
    for role, page in LANDING.items():
        if role in roles:
            return redirect(page)
    return render(request, "accounts/home_empty.html")
