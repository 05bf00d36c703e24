"""Who may do what, where, why and until when."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Reach, reach
from accounts.actions.grants import give, take_back
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.forms import GrantForm
from accounts.models import Grant, User
from accounts.models.grant import GrantQuerySet
from accounts.roles import Right
from accounts.scopes import scopes_within


@require_http_methods(["GET", "POST"])
@signed_in("grant_all or grant_operator on the scope")
def people(request: HttpRequest) -> HttpResponse:
    where = grantable(request)
    form = GrantForm(scopes_within(where), request.POST or None)
    if request.method == "POST" and form.is_valid() and give_from(request, form):
        return redirect("people")
    rows = grants_within(where).live(timezone.now())
    names = {str(named.id): named.name for named in scopes_within(where)}
    context = {
        "rows": [
            row_of(grant, names) for grant in rows.select_related("person", "granted_by").order_by("person__name")
        ],
        "form": form,
        "can_edit": True,
    }
    return render(request, "accounts/people.html", context, status=422 if form.is_bound else 200)


def grantable(request: HttpRequest) -> Reach:
    """Where the person may grant something. Raises NotFound when nowhere."""
    everything, operators = reach(request.user, Right.GRANT_ALL), reach(request.user, Right.GRANT_OPERATOR)
    if not everything and not operators:
        raise NotFound
    return Reach(
        everywhere=everything.everywhere or operators.everywhere,
        sites=everything.sites | operators.sites,
        queues=everything.queues | operators.queues,
    )


def grants_within(where: Reach) -> GrantQuerySet:
    """The grants on the scopes of a reach; a site's reach holds those on the queues of the site."""
    if where.everywhere:
        return Grant.objects.all()
    return Grant.objects.filter(scope_id__in=[named.id for named in scopes_within(where)])


def row_of(grant: Grant, names: dict[str, str]) -> dict[str, Any]:
    scope = names.get(str(grant.scope_id), "") if grant.scope_id else _("everywhere")
    return {"grant": grant, "person": grant.person, "role": grant.get_role_display(), "scope": scope}


def give_from(request: HttpRequest, form: GrantForm) -> bool:
    data = form.cleaned_data
    try:
        give(
            person=User.objects.get(username=data["person"]),
            role=data["role"],
            scope=data["scope"][0],
            scope_id=data["scope"][1],
            reason=data["reason"],
            ends_at=data["ends_at"],
            giver=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return False
    messages.success(request, _("The role was given."))
    return True


def reason_of(request: HttpRequest) -> str:
    """What was typed, without what PostgreSQL cannot keep."""
    return request.POST.get("reason", "").replace("\0", "")[:300]


@require_POST
@signed_in("grant_all or grant_operator on the grant's scope")
def end_grant(request: HttpRequest, pk: UUID) -> HttpResponse:
    where = grantable(request)
    rows = grants_within(where).filter(revoked_at=None)
    grant = rows.select_related("person").filter(pk=pk).first()
    if grant is None:
        raise NotFound
    try:
        take_back(grant=grant, taker=person_of(request), reason=reason_of(request), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The role was taken back."))
    return redirect("people")
