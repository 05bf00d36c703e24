"""Guides of queues: what its people should go by, in words and pictures."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.doors import person_of, signed_in
from accounts.exceptions import SecondLookError
from accounts.roles import Right
from review.access import event_for, example_for, queue_for, queues_for, queues_in_use
from review.actions import guides
from review.desk import media_url
from review.forms import ExampleForm, GuideForm
from review.models import Event, GuideExample, Queue, RenditionKind, TaxonomyClass
from review.prose import blocks


@require_http_methods(["GET", "POST"])
@signed_in("see_events on the queue; manage_queues to change it")
def guide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The guide as a page, or without the page around it (`?part=1`) for the desk."""
    queue = queue_for(request.user, Right.MANAGE_QUEUES if request.method == "POST" else Right.SEE_EVENTS, pk)
    form = GuideForm(request.POST or None, initial={"text": queue.guide, "looked_at": queue.guide_version})
    if request.method == "POST" and form.is_valid() and write(request, queue, form):
        return redirect("guide", queue.pk)
    groups = groups_of(queue)
    record_page(request, queue, groups)
    part = "part" in request.GET
    manages = not part and queues_for(request.user, Right.MANAGE_QUEUES).filter(pk=queue.pk).exists()
    context = {"queue": queue, "blocks": blocks(queue.guide), "groups": groups, "manages": manages, "form": form}
    template = "review/_guide.html" if part else "review/guide.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def write(request: HttpRequest, queue: Queue, form: GuideForm) -> bool:
    """Publish the text; False, with the reason on the form, when it cannot be."""
    said = form.cleaned_data
    try:
        guides.write_guide(
            queue=queue,
            text=said["text"],
            looked_at=said["looked_at"],
            person=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return False
    messages.success(request, _("The guide is in force from now on."))
    return True


def groups_of(queue: Queue) -> list[dict[str, Any]]:
    """The examples by class, in the order of the classes' indexes, those that show it first."""
    rows = GuideExample.objects.filter(queue=queue, removed_in=None).select_related("shows", "event")
    found: dict[TaxonomyClass, list[dict[str, Any]]] = {}
    for row in rows.order_by("shows__index", "-good", "added_at"):
        picture = media_url(row.evidence_id, RenditionKind.WORKING)
        found.setdefault(row.shows, []).append({"example": row, "picture": picture})
    return [{"shows": shows, "examples": examples} for shows, examples in found.items()]


def record_page(request: HttpRequest, queue: Queue, groups: list[dict[str, Any]]) -> None:
    """One entry for the pictures of a guide."""
    seen = [str(one["example"].event_id) for group in groups for one in group["examples"]]
    if seen:
        with transaction.atomic():
            audit.record(
                "guide.seen",
                actor=person_of(request),
                on=queue,
                site_id=queue.site_id,
                queue_id=queue.pk,
                action=audit.Action.ACCESS,
                version=queue.guide_version,
                events=seen,
            )


@require_POST
@signed_in("the event, and manage_queues on the queue whose guide it goes into")
def add(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Use an event as an example in a guide of its site."""
    event = event_for(request.user, pk)
    form = ExampleForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("event", event.pk)
    said = form.cleaned_data
    queue = queue_for(request.user, Right.MANAGE_QUEUES, said["queue"])
    try:
        guides.add_example(
            queue=queue,
            event=event,
            class_id=said["shows"],
            box_of=said["prediction"],
            good=said["kind"] == ExampleForm.GOOD,
            caption=said["caption"],
            person=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        messages.error(request, str(error.detail))
        return redirect("event", event.pk)
    messages.success(request, _("It is in the guide of %s.") % queue)
    return redirect("guide", queue.pk)


@require_POST
@signed_in("manage_queues on the queue")
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    example = example_for(request.user, pk)
    try:
        guides.remove_example(example=example, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    return redirect("guide", example.queue_id)


def places_for(request: HttpRequest, event: Event) -> list[dict[str, Any]]:
    """The guides into which the person may put this event, each with its classes."""
    queues = list(queues_in_use(request.user, Right.MANAGE_QUEUES).filter(site=event.site_id).order_by("name"))
    rows = TaxonomyClass.objects.filter(taxonomy__in={queue.taxonomy_id for queue in queues}, retired_at=None)
    classes: dict[Any, list[TaxonomyClass]] = {}
    for row in rows:
        classes.setdefault(row.taxonomy_id, []).append(row)
    return [{"queue": queue, "classes": classes.get(queue.taxonomy_id, [])} for queue in queues]
