"""People whom one may see, and giving somebody a role."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import granting, reach
from accounts.actions.grants import give
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.forms import GrantForm, RoleForm
from accounts.ids import as_uuid
from accounts.models.grant import Scope
from accounts.people_list import State, page_of
from accounts.roles import Right, Role
from accounts.scopes import Named, scopes_within


@require_http_methods(["GET", "POST"])
@signed_in("grant_all or grant_operator on some scope; the people who hold a role there")
def people(request: HttpRequest) -> HttpResponseBase:
    if not granting(request.user):
        raise NotFound
    return give_somebody(request) if request.method == "POST" else listed(request, role_form(request, GrantForm))


@freshly_signed_in
def give_somebody(request: HttpRequest) -> HttpResponse:
    form = role_form(request, GrantForm)
    try:
        if not form.is_valid():
            return listed(request, form, status=422)
        person, now = form.cleaned_data["person"], timezone.now()
        give(person=person, reason=form.cleaned_data["reason"], giver=person_of(request), now=now, **given(form))
    except (Conflict, Invalid) as error:
        form.add_error(None, str(error.detail))
        return listed(request, form, status=error.status)
    messages.success(request, _("The role was given."))
    return redirect("person", person.public_id)


def given(form: RoleForm) -> dict[str, Any]:
    """The role, the scope and the end of a valid form, as `give` takes them."""
    wanted = form.wanted(timezone.now())
    return {"role": wanted.role, "scope": wanted.scope, "scope_id": wanted.scope_id, "ends_at": wanted.ends_at}


def role_form[F: RoleForm](request: HttpRequest, kind: type[F], **more: Any) -> F:
    """A form that offers what the viewer may give, filled from a POST unless `data` says otherwise."""
    more.setdefault("data", request.POST or None)
    return kind(scopes_within(granting(request.user)), roles_to_give(request), **more)


def roles_to_give(request: HttpRequest) -> list[Role]:
    return list(Role) if reach(request.user, Right.GRANT_ALL) else [Role.OPERATOR]


def listed(request: HttpRequest, form: GrantForm, status: int = 200) -> HttpResponse:
    chosen = {name: request.GET.get(name, "")[:100] for name in ("q", "role", "site", "state", "after")}
    sites = sites_of(request)
    rows, following, total = page_of(
        person_of(request), chosen, now=timezone.now(), site=known_site(chosen["site"], sites)
    )
    context = {
        "rows": rows,
        "following": following,
        "total": total,
        "chosen": chosen,
        "kept": {name: value for name, value in chosen.items() if value and name != "after"},
        "roles": Role.choices,
        "states": State.choices,
        "sites": sites,
        "form": form,
        "may_create": bool(reach(request.user, Right.GRANT_ALL)),
    }
    return render(request, "accounts/people.html", context, status=status)


def sites_of(request: HttpRequest) -> list[Named]:
    """The sites that the viewer can filter by."""
    return [scope for scope in scopes_within(granting(request.user)) if scope.type == Scope.SITE]


def known_site(text: str, sites: list[Named]) -> UUID | None:
    wanted = as_uuid(text)
    return wanted if any(site.id == wanted for site in sites) else None
