"""Taxonomies: the classes that people answer with, each with its permanent index."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.roles import Right
from accounts.typed import whole_number
from inference.access import sites_in_use
from inference.models import ModelVersion, Site
from review.access import taxonomies_for, taxonomy_for
from review.actions import attributes
from review.actions import taxonomies as actions
from review.actions.setup import create_taxonomy
from review.forms import ClassForm, TaxonomyForm
from review.models import PALETTE, Taxonomy, TaxonomyClass


@require_http_methods(["GET", "POST"])
@signed_in("manage_taxonomy on the site")
def taxonomies(request: HttpRequest) -> HttpResponse:
    sites = sites_in_use(request.user, Right.MANAGE_TAXONOMY)
    if request.method == "POST" and not sites:
        raise NotFound
    form = TaxonomyForm(sites, ModelVersion.objects.filter(site__in=sites), request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := create(request, form)):
        return redirect("taxonomy", made.pk)
    live, retired = Q(classes__retired_at=None), Q(classes__retired_at__isnull=False)
    rows = taxonomies_for(request.user).annotate(
        live=Count("classes", filter=live), retired=Count("classes", filter=retired)
    )
    context = {"rows": rows.order_by("site__name", "name")[:500], "form": form}
    return render(request, "review/taxonomies.html", context, status=422 if form.is_bound else 200)


def create(request: HttpRequest, form: TaxonomyForm) -> Taxonomy | None:
    """The new taxonomy; None, with the reason on the form, when it cannot be made."""
    said = form.cleaned_data
    site: Site = said["site"]
    try:
        return create_taxonomy(
            site=site, slug=said["slug"], name=said["name"], classes=said["wanted"], maker=person_of(request)
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return None


@require_safe
@signed_in("manage_taxonomy on the site")
def taxonomy(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = taxonomy_for(request.user, pk)
    rows = list(found.classes.prefetch_related("former_names", "attributes"))
    chosen = next((row for row in rows if str(row.index) == request.GET.get("class")), None)
    context = {
        "taxonomy": found,
        "rows": rows,
        "chosen": chosen,
        "form": form_of(chosen) if chosen else None,
        "queues": found.queues.order_by("name"),
        "colours": range(1, PALETTE + 1),
    }
    return render(request, "review/taxonomy.html", context)


def form_of(row: TaxonomyClass) -> ClassForm:
    return ClassForm(initial={"class_id": row.pk, "name": row.name, "key": row.key, "colour": row.colour or ""})


@require_POST
@signed_in("manage_taxonomy on the site")
def add(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Classes typed or pasted, one to a line, at the end; names that are there already are passed over."""
    found = taxonomy_for(request.user, pk)
    there = set(found.classes.values_list("name", flat=True))
    wanted = [name for name in actions.lines_of(request.POST.get("classes", "")) if name not in there]

    def run() -> str:
        rows = actions.add_classes(taxonomy=found, wanted=wanted, person=person_of(request)) if wanted else []
        return ngettext("%d class was added.", "%d classes were added.", len(rows)) % len(rows)

    return told(request, found, run)


@require_POST
@signed_in("manage_taxonomy on the site")
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change, retire or restore one class."""
    found, form = taxonomy_for(request.user, pk), ClassForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("taxonomy", found.pk)
    said: dict[str, Any] = form.cleaned_data
    common: dict[str, Any] = {"taxonomy": found, "pk": said["class_id"], "person": person_of(request)}

    def run() -> str:
        if said["act"] == ClassForm.RETIRE:
            return _("%s is retired.") % actions.retire_class(**common, now=timezone.now())
        if said["act"] == ClassForm.RESTORE:
            return _("%s can be answered with again.") % actions.restore_class(**common)
        look = {"name": said["name"], "key": said["key"], "colour": said["colour"] or None}
        return _("%s was saved.") % actions.change_class(**common, **look, now=timezone.now())

    return told(request, found, run)


@require_POST
@signed_in("manage_taxonomy on the site")
def attribute(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Define an attribute of a class, widen it, or retire it."""
    found, said = taxonomy_for(request.user, pk), request.POST
    name = " ".join(said.get("name", "").split())
    common: dict[str, Any] = {
        "taxonomy": found,
        "pk": id_of(said.get("class_id", "")),
        "name": name,
        "person": person_of(request),
    }

    def run() -> str:
        if "retire" in said:
            attributes.retire_attribute(**common, now=timezone.now())
            return _("%s is retired.") % name
        values = actions.lines_of(said.get("values", ""))
        attributes.define_attribute(**common, values=values, required="required" in said)
        return _("%s was saved.") % name

    return told(request, found, run)


def id_of(typed: str) -> int:
    """A row's id as a form sends it; 0, which is nobody's, for anything else."""
    return whole_number(typed, 0, 2**31) or 0


def told(request: HttpRequest, found: Taxonomy, run: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, run())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    return redirect("taxonomy", found.pk)
