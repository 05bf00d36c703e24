"""One person: who it is, what he may see and why."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import explain
from accounts.access import administers, granting, person_for
from accounts.doors import person_of, signed_in
from accounts.exceptions import SecondLookError
from accounts.forms import RoleForm
from accounts.models import User
from accounts.people_list import state_of
from accounts.person_page import acts_of, ended_rows, grant_rows, keys_of
from accounts.reaches import left_over, reached
from accounts.scopes import scopes_within
from accounts.views.people import role_form, roles_to_give


@require_safe
@signed_in("grant_all or grant_operator where the person holds a role")
def person(request: HttpRequest, pk: UUID) -> HttpResponse:
    return shown(request, person_for(request.user, pk))


def shown(request: HttpRequest, person: User, *, error: SecondLookError | None = None) -> HttpResponse:
    """The page of a person; with an error, which it says on top, as the answer to what was sent."""
    viewer = person_of(request)
    context = about(viewer, person) | checked(viewer, person, request.GET.get("address", ""))
    context |= {"error": error, "form": role_form(request, RoleForm, data=None)}
    offered = scopes_within(granting(viewer)), roles_to_give(request)
    context["grants"] = grant_rows(viewer, person, lambda **more: RoleForm(*offered, **more))
    return render(request, "accounts/person.html", context, status=error.status if error else 200)


def about(viewer: User, person: User) -> dict[str, Any]:
    """What the viewer may know of a person, whatever was asked."""
    now, known = timezone.now(), explain.known_grants(viewer, person)
    may = administers(viewer, person, now=now)
    return {
        "person": person,
        "state": state_of(person),
        "is_self": viewer.pk == person.pk,
        "administers": may,
        "ended": ended_rows(known, now),
        "reached": reached(person, known, now=now),
        "left_over": left_over(person, now=now) if may else [],
        "acts": acts_of(viewer, person),
        **(keys_of(person, now) if may else {}),
    }


def checked(viewer: User, person: User, address: str) -> dict[str, Any]:
    """The answer to an address that was pasted."""
    found = explain.ask(asker=viewer, person=person, address=address, now=timezone.now()) if address.strip() else None
    return {"kinds": explain.labels(), "address": address[: explain.LONGEST], "answer": found}
