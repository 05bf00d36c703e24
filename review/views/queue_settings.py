"""Queues as the people who steer them see them: made, and changed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.doors import person_of, signed_in
from accounts.exceptions import Invalid, NotFound, SecondLookError
from accounts.roles import Right
from accounts.typed import named, whole_number
from inference.access import sites_in_use
from inference.models import Site
from inference.views.places import id_in
from review.access import queue_for, queues_for
from review.actions.queue_changes import QueueSettings, change_queue, settings_of, state_of
from review.actions.setup import create_queue
from review.actions.starting import begin_queue
from review.models import Move, Queue, Taxonomy

MOST_CLASSES = 2000


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues on the site")
def queue_list(request: HttpRequest) -> HttpResponse:
    """The queues that the person steers, and a form for a new one."""
    sites, trouble = sites_in_use(request.user, Right.MANAGE_QUEUES).order_by("name"), ""
    if request.method == "POST":
        site = sites.filter(pk=id_in(request.POST.get("site", ""))).first()
        if site is None:
            raise NotFound
        try:
            made = make(request, site)
        except SecondLookError as error:
            trouble = str(error.detail)
        else:
            messages.success(request, _("The queue is there."))
            return redirect("queue-settings", made.pk)
    rows = queues_for(request.user, Right.MANAGE_QUEUES).order_by("site__name", "name")
    context: dict[str, Any] = {
        "rows": rows.filter(retired_at=None),
        "retired": rows.exclude(retired_at=None),
        "sites": sites,
        "taxonomies": Taxonomy.objects.filter(site__in=sites).select_related("site").order_by("site__name", "name"),
        "trouble": trouble,
        "said": request.POST,
    }
    return render(request, "review/queue_list.html", context, status=422 if trouble else 200)


def make(request: HttpRequest, site: Site) -> Queue:
    """A queue with the classes of a taxonomy, or with classes typed line by line. Raises Invalid, Conflict."""
    name, person, now = named(request.POST.get("name", "")), person_of(request), timezone.now()
    slug = slugify(name)[:60] or f"queue-{Queue.objects.filter(site=site).count() + 1}"
    chosen = request.POST.get("taxonomy", "")
    if chosen:
        taxonomy = Taxonomy.objects.filter(site=site, pk=id_in(chosen)).first()
        if taxonomy is None:
            raise Invalid(_("Choose classes of the same site."), code="unknown_taxonomy")
        return create_queue(site=site, slug=slug, name=name, taxonomy=taxonomy, maker=person, now=now)
    classes = typed_classes(request.POST.get("classes", ""))
    return begin_queue(site=site, slug=slug, name=name, taxonomy_name=name, classes=classes, maker=person, now=now)


def typed_classes(text: str) -> list[str]:
    """Class names, one a line. Raises Invalid `no_classes`."""
    names = [" ".join(line.split())[:100] for line in text.replace("\0", "").splitlines()]
    found = list(dict.fromkeys(name for name in names if name))
    if not found or len(found) > MOST_CLASSES:
        raise Invalid(_("Type the classes, one a line, or choose those of another queue."), code="no_classes")
    return found


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues on the queue")
def queue_settings(request: HttpRequest, pk: UUID) -> HttpResponse:
    return queue_page(request, queue_for(request.user, Right.MANAGE_QUEUES, pk))


def queue_page(request: HttpRequest, queue: Queue, *, refused: str = "") -> HttpResponse:
    """A queue with its forms; `refused` says why it was not retired or brought back."""
    trouble, shown = "", settings_of(queue)
    if request.method == "POST" and not refused:
        try:
            shown = typed(request)
            before = request.POST.get("before", "")
            change_queue(queue=queue, wanted=shown, before=before, person=person_of(request))
        except SecondLookError as error:
            trouble = str(error.detail)
        else:
            messages.success(request, _("Saved. What comes from now on obeys it."))
            return redirect("queue-settings", queue.pk)
    context = {
        "queue": queue,
        "shown": shown,
        "due_minutes": round(shown.due_in.total_seconds() / 60),
        "undo_seconds": round(shown.undo_window.total_seconds()),
        "moves": Move.choices,
        "state": state_of(queue),
        "trouble": trouble,
        "refused": refused,
        "said": request.POST.get("reason", ""),
    }
    return render(request, "review/queue_settings.html", context, status=422 if trouble or refused else 200)


def typed(request: HttpRequest) -> QueueSettings:
    said = request.POST
    return QueueSettings(
        name=said.get("name", ""),
        due_in=timedelta(minutes=whole(said.get("due_minutes", ""), "due_in")),
        undo_window=timedelta(seconds=whole(said.get("undo_seconds", ""), "undo_window")),
        asks_complete="asks_complete" in said,
        answers_held="answers_held" in said,
        needs_reason=tuple(said.getlist("needs_reason")),
        allows_reopening="allows_reopening" in said,
    )


def whole(text: str, code: str) -> int:
    found = whole_number(text, 0, 9_999_999)
    if found is None:
        raise Invalid(_("Times are whole numbers."), code=code)
    return found
