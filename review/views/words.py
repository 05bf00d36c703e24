"""Models, and what each of their words stands for at a site."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from inference.models import ModelVersion
from review.actions.mapping import map_name
from review.model_words import models_of, words_of_model
from review.models import ParkingCause, TaxonomyClass
from review.views.inbox import mapped_sites, may_make, require_maker

OFFERED = 500


@require_safe
@signed_in("manage_queues, manage_sources or manage_taxonomy on the site")
def models(request: HttpRequest) -> HttpResponse:
    return render(request, "review/models.html", {"rows": models_of(list(mapped_sites(request)))})


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues, manage_sources or manage_taxonomy on the site; mapped with manage_taxonomy")
def words(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The words of the model that this version is one of, and a form that maps one of them for this model alone."""
    version = ModelVersion.objects.filter(site__in=mapped_sites(request), pk=pk).select_related("site").first()
    if version is None:
        raise NotFound
    if request.method == "POST":
        require_maker(request, version.site, ParkingCause.CLASS)
        settle(request, version)
        return redirect("model-words", pk)
    classes = TaxonomyClass.objects.filter(taxonomy__site=version.site, retired_at=None).order_by("name")
    context = {
        "version": version,
        "rows": words_of_model(version.site, version.name),
        "choices": classes.values_list("name", flat=True).distinct()[:OFFERED],
        "may_map": may_make(request, version.site, ParkingCause.CLASS),
    }
    return render(request, "review/words.html", context)


def settle(request: HttpRequest, version: ModelVersion) -> None:
    value = request.POST.get("value", "").replace("\0", "")[:200]
    target = request.POST.get("target", "").strip()
    try:
        count = map_name(
            site=version.site,
            cause=ParkingCause.CLASS,
            value=value,
            target=target,
            person=person_of(request),
            now=timezone.now(),
            model_name=version.name,
        )
    except SecondLookError as error:
        messages.error(request, str(error.detail))
        return
    routed = ngettext("%d event was routed.", "%d events were routed.", count) % count if count else ""
    messages.success(request, f"{_('Saved for this model.')} {routed}".strip())
