"""The story of one thing or person, and one entry with all that it holds."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import Conflict, SecondLookError
from accounts.models import AuditEntry, Checkpoint, Leaf
from accounts.scopes import names_of
from accounts.seal import proof_of
from accounts.seal.kinds import AUDIT_ENTRY
from accounts.sentences import WORDS, plain, sentence
from accounts.trail.kinds import group_of
from accounts.trail.paging import cursor_of
from accounts.trail.stories import Story, entry_for, story_of
from accounts.views.audit import RULE, pager_of, row_of


class NotSealed(Conflict):
    code = "not_sealed"


@require_safe
@signed_in(f"{RULE}; refused attempts on what is in the trail that he reads")
def story(request: HttpRequest, pk: UUID) -> HttpResponse:
    before, after = cursor_of(request.GET.get("before", "")), cursor_of(request.GET.get("after", ""))
    told = story_of(person_of(request), pk, before=before, after=after)
    context = {"story": told, "moments": moments(told), "pager": pager_of(told.page, {})}
    return render(request, "accounts/audit_story.html", context)


def moments(told: Story) -> list[dict[str, Any]]:
    """Entries and steps in the order of time, the newest first; steps stand on the page whose time they are of."""
    steps = [
        {"at": step.at, "sentence": step.text, "detail": step.detail, "icon": step.icon}
        for step in told.telling.steps
        if belongs(step.at, told)
    ]
    rows = [row_of(entry) | {"icon": group_of(entry.verb).icon} for entry in reversed(told.page.entries)]
    # What happened in one moment keeps its order: steps come before what people did about them.
    ranked = sorted(enumerate(steps + rows), key=lambda one: (one[1]["at"], one[0]), reverse=True)
    return [row for _rank, row in ranked]


def belongs(at: Any, told: Story) -> bool:
    """Whether a step lies within the time of the page's entries, which is open where no page follows."""
    page = told.page
    if not page.entries:
        return True
    after = page.older is None or at >= page.entries[-1].timestamp
    return after and (page.newer is None or at <= page.entries[0].timestamp)


@require_safe
@signed_in(f"{RULE}; refused attempts on what is in the trail that he reads")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    found = entry_for(person_of(request), pk)
    context = {
        "entry": found,
        "sentence": sentence(found),
        "group": group_of(found.verb),
        "facts": table(found.additional_data),
        "circumstances": table(found.circumstances),
        "place": place_of(found),
        "sealed": sealed(found),
    }
    return render(request, "accounts/audit_entry.html", context)


def table(values: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Facts as rows: names in words, values as sentences have them, uncut."""
    return [(name_of(name), plain(value)) for name, value in (values or {}).items()]


def name_of(key: str) -> str:
    return _(WORDS[key]) if key in WORDS else key.replace("_", " ")


def place_of(entry: AuditEntry) -> str:
    """Site and queue by name; the entry is the reader's, so these are too."""
    keys: set[tuple[str, UUID | None]] = set()
    if entry.queue_id:
        keys = {("queue", entry.queue_id)}
    elif entry.site_id:
        keys = {("site", entry.site_id)}
    return next((names_of(keys)[key].name for key in keys), "")


def sealed(entry: AuditEntry) -> dict[str, Any] | None:
    """Where the entry stands in the sealed log, and since when; None while it waits."""
    leaf = Leaf.objects.filter(kind=AUDIT_ENTRY.name, row=str(entry.pk)).first()
    if leaf is None:
        return None
    checkpoint = Checkpoint.objects.filter(size__gt=leaf.index).order_by("size").first()
    proof = proof_of(entry)
    return {"index": leaf.index, "hash": bytes(leaf.hash).hex(), "checkpoint": checkpoint, "holds": proof is not None}


@require_safe
@signed_in(f"{RULE}; refused attempts on what is in the trail that he reads")
def proof(request: HttpRequest, pk: int) -> HttpResponse:
    """The inclusion proof of one entry as a file (docs/seal.md says how to check it)."""
    found = proof_of(entry_for(person_of(request), pk))
    if found is None:
        raise not_sealed()
    response = JsonResponse(found.as_json(), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="audit-entry-{pk}-proof.json"'
    return response


def not_sealed() -> SecondLookError:
    return NotSealed(_("This entry is not sealed yet, or it is no longer what was sealed. Try again in a minute."))
