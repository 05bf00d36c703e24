"""Queues and sites are retired and brought back."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.doors import person_of, signed_in
from accounts.exceptions import SecondLookError
from accounts.roles import Right
from inference.access import site_for
from inference.models import Site
from inference.views.places import site_page
from review.access import queue_for
from review.actions import retiring as actions
from review.models import Queue
from review.views.queue_settings import queue_page


@require_POST
@signed_in("manage_queues on the queue")
def retire_queue(request: HttpRequest, pk: UUID) -> HttpResponse:
    queue, reason = queue_for(request.user, Right.MANAGE_QUEUES, pk), request.POST.get("reason", "")
    return of_queue(
        request,
        queue,
        lambda: actions.retire_queue(queue=queue, reason=reason, person=person_of(request), now=timezone.now()),
    )


@require_POST
@signed_in("manage_queues on the queue")
def restore_queue(request: HttpRequest, pk: UUID) -> HttpResponse:
    queue = queue_for(request.user, Right.MANAGE_QUEUES, pk)
    return of_queue(request, queue, lambda: actions.restore_queue(queue=queue, person=person_of(request)))


def of_queue(request: HttpRequest, queue: Queue, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except SecondLookError as error:
        return queue_page(request, queue, refused=str(error.detail))
    messages.success(request, _("Saved."))
    return redirect("queue-settings", queue.pk)


@require_POST
@signed_in("grant_all on the site")
def retire_site(request: HttpRequest, pk: UUID) -> HttpResponse:
    site, reason = site_for(request.user, Right.GRANT_ALL, pk), request.POST.get("reason", "")
    return of_site(
        request,
        site,
        lambda: actions.retire_site(site=site, reason=reason, person=person_of(request), now=timezone.now()),
    )


@require_POST
@signed_in("grant_all on the site")
def restore_site(request: HttpRequest, pk: UUID) -> HttpResponse:
    site = site_for(request.user, Right.GRANT_ALL, pk)
    return of_site(request, site, lambda: actions.restore_site(site=site, person=person_of(request)))


def of_site(request: HttpRequest, site: Site, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except SecondLookError as error:
        return site_page(request, site, refused=str(error.detail))
    messages.success(request, _("Saved."))
    return redirect("site", site.pk)
