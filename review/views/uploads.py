"""Uploads: begin one, bring its files, send it, watch it, and see what became of each file."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doors import person_of, signed_in, wants_fragment
from accounts.exceptions import Invalid, NotFound, SecondLookError
from accounts.ids import as_uuid
from accounts.models import User
from accounts.roles import Right
from review.access import (
    endable_upload_for,
    events_for,
    own_upload_for,
    queues_for,
    upload_for,
    upload_sites_for,
    uploads_for,
)
from review.actions.uploads import add_file, begin_upload, cancel_upload, start_upload
from review.forms_uploads import UploadForm
from review.models import FileState, Item, UploadFile, UploadJob, UploadRole
from review.models.upload import AT_WORK, OPEN
from review.uploads.names import shown
from review.uploads.reasons import reason_text
from review.uploads.worker import counts_of

SHOWN = 50
FILES = 100


@require_http_methods(["GET", "POST"])
@signed_in("beginning: review_items or manage_sources on the site; the list: see_sources on the site, or one's own")
def uploads(request: HttpRequest) -> HttpResponse:
    sites = upload_sites_for(request.user)
    form = UploadForm(sites, request.POST or None) if sites.exists() else None
    if request.method == "POST":
        if form is None:
            raise NotFound
        if form.is_valid() and (answer := begun(request, form)):
            return answer
        if wants_fragment(request):
            return JsonResponse({"title": _("Look at the form."), "errors": form.errors}, status=422)
    rows = uploads_for(request.user)[:SHOWN]
    status = 422 if form is not None and form.is_bound else 200
    return render(request, "review/uploads.html", {"form": form, "rows": rows}, status=status)


def begun(request: HttpRequest, form: UploadForm) -> HttpResponse | None:
    """Begin the upload that the form asks for; None, with the reason on the form, when it cannot be.

    A script gets the addresses to go on with. A plain form brings its files along, and is sent at once.
    """
    person, data = person_of(request), form.cleaned_data
    try:
        job = begin_upload(
            person=person, site=data["site"], camera=data["camera"], wishes=form.wishes(), now=timezone.now()
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return None
    if wants_fragment(request):
        return JsonResponse(addresses(job), status=201)
    return take_files(request, job, person, send=True)


def addresses(job: UploadJob) -> dict[str, str]:
    return {
        "url": reverse("upload", args=[job.pk]),
        "files": reverse("upload-files", args=[job.pk]),
        "send": reverse("upload-send", args=[job.pk]),
        "cancel": reverse("upload-cancel", args=[job.pk]),
    }


def take_files(request: HttpRequest, job: UploadJob, person: User, *, send: bool) -> HttpResponse:
    """Keep the files of a plain form, perhaps send the upload, and show its page."""
    try:
        for file in request.FILES.getlist("files"):
            add_file(job=job, name=file.name or "", file=opened(file), written_at=None, now=timezone.now())
        if send and request.FILES:
            start_upload(job=job, person=person, now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    return redirect("upload", job.pk)


def opened(file: UploadedFile[Any]) -> Any:
    """The file behind an uploaded one: it is at its start."""
    file.seek(0)
    return file.file


@require_safe
@signed_in("one's own upload, or see_sources on its site")
def upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = upload_for(request.user, pk)
    rows = job.files.exclude(role=UploadRole.ARCHIVE, reason="").order_by("id")
    problems = rows.exclude(reason="")
    show = request.GET.get("show") or ("problems" if problems.exists() else "all")
    wanted = problems if show == "problems" else rows
    if after := as_uuid(request.GET.get("after", "")):
        wanted = wanted.filter(id__gt=after)
    page = list(wanted[: FILES + 1])
    context = state_of(request, job) | {
        "files": file_rows(person_of(request), page[:FILES]),
        "after": page[FILES - 1].pk if len(page) > FILES else None,
        "show": show,
        "mine": job.person_id == person_of(request).pk,
        "addresses": addresses(job),
        "note": job.note,
    }
    return render(request, "review/upload.html", context)


def file_rows(person: User, rows: list[UploadFile]) -> list[dict[str, Any]]:
    """Files with their reasons in words, and links to those events that `person` may see."""
    visible = set(events_for(person).filter(pk__in=[row.event_id for row in rows]).values_list("pk", flat=True))
    return [
        {
            "name": row.name,
            "role": row.get_role_display(),
            "state": row.state,
            "state_label": row.get_state_display(),
            "reason": reason_text(row.reason) if row.reason else "",
            "detail": row.detail if row.detail != reason_text(row.reason) else "",
            "event": row.event_id if row.event_id in visible else None,
        }
        for row in rows
    ]


@require_safe
@signed_in("one's own upload, or see_sources on its site")
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """State and progress, as the fragment that the page asks for while somebody is at work."""
    context = state_of(request, upload_for(request.user, pk)) | {"asked": True}
    return render(request, "review/_upload_state.html", context)


def state_of(request: HttpRequest, job: UploadJob) -> dict[str, Any]:
    counts = counts_of(job)
    total = sum(counts.values())
    return {
        "job": job,
        "counts": counts,
        "total": total,
        "percent": 100 * (total - counts["waiting"]) // total if total else 0,
        "working": job.state in AT_WORK,
        "open": job.state in OPEN,
        "landed": landed(person_of(request), job) if counts["taken"] else None,
    }


def landed(person: User, job: UploadJob) -> dict[str, Any]:
    """Where the events are: by queue, in the inbox, or where no rule wants them looked at."""
    events = job.files.filter(role=UploadRole.PICTURE, state=FileState.TAKEN).values("event")
    items = Item.objects.filter(event__in=events).values("queue", "queue__name").annotate(items=Count("pk"))
    mine = set(queues_for(person, Right.SEE_EVENTS).values_list("pk", flat=True))
    work = set(queues_for(person, Right.REVIEW).values_list("pk", flat=True))
    queues = [
        {"name": row["queue__name"], "items": row["items"], "desk": row["queue"] if row["queue"] in work else None}
        for row in items.order_by("queue__name")
        if row["queue"] in mine
    ]
    parked = job.source.events.filter(pk__in=events, parkings__resolved_at=None, parkings__isnull=False).distinct()
    unseen = job.source.events.filter(pk__in=events, items=None).exclude(pk__in=parked.values("pk"))
    return {"queues": queues, "parked": parked.count(), "unseen": unseen.count()}


@require_http_methods(["GET", "POST"])
@signed_in("one's own upload at a site to which one may bring pictures")
def files(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET: what is there, by name and digest, so that a script brings the rest. POST: one file, or those of a form."""
    job = own_upload_for(request.user, pk)
    if request.method == "POST" and wants_fragment(request):
        return one_file(request, job)
    if request.method == "POST":
        return take_files(request, job, person_of(request), send=False)
    rows = job.files.filter(archive=None).values("name", "sha256", "size")
    return JsonResponse({"state": job.state, "files": list(rows)})


def one_file(request: HttpRequest, job: UploadJob) -> JsonResponse:
    """A file that a script brings, with its place in the folder as `name`; answers what is said about it."""
    file = request.FILES.get("files")
    if file is None:
        raise Invalid(_("Send the file as the part “files”."), code="no_file")
    received = add_file(
        job=job,
        name=request.POST.get("name") or file.name or "",
        file=opened(file),
        written_at=instant(request.POST.get("modified", "")),
        now=timezone.now(),
    )
    row = received.file
    said = {"name": shown(row.name), "state": row.state, "reason": row.reason, "text": ""}
    if row.reason:
        said["text"] = reason_text(row.reason)
    return JsonResponse(said, status=201 if received.created else 200)


def instant(milliseconds: str) -> datetime | None:
    """What a browser says about when a file was last written, in milliseconds since 1970."""
    if not (milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= 14):
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


@require_POST
@signed_in("one's own upload at a site to which one may bring pictures")
def send(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = own_upload_for(request.user, pk)
    try:
        start_upload(job=job, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        if wants_fragment(request):
            raise
        messages.error(request, str(error.detail))
    return JsonResponse(addresses(job)) if wants_fragment(request) else redirect("upload", job.pk)


@require_POST
@signed_in("one's own upload, or manage_sources on its site")
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = endable_upload_for(request.user, pk)
    try:
        cancel_upload(job=job, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        if wants_fragment(request):
            raise
        messages.error(request, str(error.detail))
    return JsonResponse(addresses(job)) if wants_fragment(request) else redirect("upload", job.pk)
