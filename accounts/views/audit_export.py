"""Entries of the trail as a file."""

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actions.exports import export_entries
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.trail.filters import Asked

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}


@require_POST
@signed_in("audit_site, audit_releases or audit_devices on the site; the own story alone does not do")
@freshly_signed_in
def export(request: HttpRequest) -> HttpResponseBase:
    form, now = request.POST.get("format", ""), timezone.now()
    asked, purpose = Asked.of(request.POST), request.POST.get("purpose", "")
    found = export_entries(person=person_of(request), asked=asked, form=form, purpose=purpose, now=now)
    name = f"audit-{timezone.localtime(now):%Y%m%d-%H%M%S}.{form}"
    response = StreamingHttpResponse(found.stream(form), content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
