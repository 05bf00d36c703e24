"""What each role may do, and who holds which role where."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import granting
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound
from accounts.matrix import matrix_of, rights_table
from accounts.people_list import page_of
from accounts.roles import Role
from accounts.views.people import known_site, sites_of


@require_safe
@signed_in("grant_all or grant_operator on some scope; the people who hold a role there")
def roles(request: HttpRequest) -> HttpResponse:
    if not granting(request.user):
        raise NotFound
    chosen = {name: request.GET.get(name, "")[:100] for name in ("q", "role", "site", "after")}
    sites = sites_of(request)
    site = known_site(chosen["site"], sites)
    rows, following, total = page_of(person_of(request), chosen, now=timezone.now(), site=site)
    context = {
        "matrix": matrix_of(rows, site=site),
        "following": following,
        "total": total,
        "chosen": chosen,
        "kept": {name: value for name, value in chosen.items() if value and name != "after"},
        "roles": Role.choices,
        "rights": rights_table(),
        "sites": sites,
    }
    return render(request, "accounts/roles.html", context)
