"""The event browser, and one event with its whole story."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound
from accounts.models import AuditEntry, User
from accounts.roles import Right
from accounts.sentences import who
from inference.access import sites_for
from inference.models import Site
from review.access import event_for, events_for, openable_event_for, opening_of
from review.desk import class_list, event_payload, evidence_rows, picture_payload, thumbnail_url
from review.models import Event, EventKind, Hold, Item, LegalHold, Opening, Outcome, ReleaseRow, RenditionKind, Verdict
from review.paging import page_of
from review.views.guides import places_for

PAGE = 48
# The latest of those who skipped or escalated an event.
MOST_PUT_AWAY = 50


@require_safe
@signed_in("see_events; the person's events only")
def events(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "")[:100] for name in ("site", "camera", "class", "kind", "outcome")}
    rows = (
        filtered(events_for(request.user), chosen)
        .select_related("site")
        .prefetch_related(
            "evidence_rows__evidence__renditions",
            Prefetch("items", queryset=Item.objects.select_related("queue").order_by("-created_at")),
        )
    )
    found, following = page_of(rows, request.GET.get("cursor", ""), size=PAGE)
    record_page(person_of(request), found, {} if "cursor" in request.GET else chosen)
    context = {
        "page": {
            "rows": [{"event": event, "item": first_item(event), "thumb": thumbnail_url(event)} for event in found]
        },
        "next_cursor": following,
        "chosen": chosen,
        "kinds": EventKind.choices,
        "outcomes": Outcome.choices,
        "sites": sites_for(request.user, Right.SEE_EVENTS),
    }
    return render(request, "review/events.html", context)


def filtered(rows: Any, chosen: dict[str, str]) -> Any:
    if chosen["camera"]:
        rows = rows.filter(Q(camera_name=chosen["camera"]) | Q(names__camera__slug=chosen["camera"]))
    columns = {"class": "top_class", "kind": "kind", "outcome": "items__outcome"}
    for name, column in columns.items():
        if chosen[name]:
            rows = rows.filter(**{column: chosen[name]})
    if chosen["site"]:
        rows = rows.filter(site__slug=chosen["site"])
    return rows


def first_item(event: Event) -> Item | None:
    return next(iter(event.items.all()), None)


def record_page(person: User, found: list[Event], chosen: dict[str, str]) -> None:
    """One audit entry per site for the thumbnails of a page, and one for what somebody typed to find them."""
    typed = {name: chosen[name] for name in ("camera", "class") if chosen.get(name)}
    with transaction.atomic():
        if typed:
            audit.record("search.made", actor=person, action=audit.Action.ACCESS, area="events", filter=typed)
        for site, events in by_site(found):
            audit.record(
                "thumbnails.seen",
                actor=person,
                on=site,
                site_id=site.pk,
                action=audit.Action.ACCESS,
                events=[str(event.pk) for event in events],
            )


def by_site(found: list[Event]) -> list[tuple[Site, list[Event]]]:
    """The events of a page, apart by site: an entry tells those who read the trail of one site about that one only."""
    sites: dict[Site, list[Event]] = {}
    for event in found:
        sites.setdefault(event.site, []).append(event)
    return list(sites.items())


@require_safe
@signed_in("see_events; the person's events only")
def event(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        found = event_for(request.user, pk)
    except NotFound:
        openable_event_for(request.user, pk)
        return redirect("event-open", pk)
    item = found.items.select_related("queue", "claimed_by").order_by("-created_at").first()
    with transaction.atomic():
        audit.record(
            "picture.seen",
            actor=person_of(request),
            on=found,
            site_id=found.site_id,
            queue_id=item.queue_id if item else None,
            action=audit.Action.ACCESS,
            **shown(found, item),
            **through(opening_of(request.user, found)),
        )
    labels = deciding_labels(item)
    context = {
        "event": found,
        "item": item,
        "payload": {
            "event": event_payload(found),
            **picture_payload(found),
            "labels": labels,
            "classes": class_list(item.queue) if item else [],
        },
        "evidence": beside_the_frame(evidence_rows(found)),
        "legal_hold": LegalHold.objects.filter(event=found, lifted_at=None).select_related("set_by").first(),
        "may_hold": sites_for(request.user, Right.MANAGE_QUEUES).filter(pk=found.site_id).exists(),
        "story": story(found, item),
        "labels": labels,
        "guides": places_for(request, found) if found.evidence_rows.exclude(evidence=None).exists() else [],
    }
    return render(request, "review/event.html", context)


def beside_the_frame(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What there is besides the one picture that fills the page."""
    first = next((row for row in rows if row["role"] == "frame"), rows[0] if rows else None)
    return [row for row in rows if row is not first or row["is_clip"]]


def shown(event: Event, item: Item | None) -> dict[str, Any]:
    """What is on the page of an event: its picture by digest, what the model said, and in which state it was."""
    return {
        "evidence": [row.sha256 for row in event.evidence_rows.all() if row.role == "frame"],
        "rendition": RenditionKind.WORKING,
        "predicted": [[p["class"], p["confidence"]] for p in event.subject_predictions][:20],
        "predictions_shown": True,
        "item_version": item.version if item else None,
        "answer_shown": bool(item and item.verdict_id),
    }


def through(opening: Opening | None) -> dict[str, Any]:
    """What an entry says of the reason that somebody gave before he saw this."""
    return {"opening": str(opening.pk), "reason": opening.reason} if opening else {}


def deciding_labels(item: Item | None) -> list[dict[str, Any]]:
    if item is None or item.verdict_id is None:
        return []
    return list(Verdict.objects.values_list("labels", flat=True).get(pk=item.verdict_id))


def story(event: Event, item: Item | None) -> list[dict[str, Any]]:
    """What happened to an event, oldest first: seen, routed, answered, released."""
    steps: list[dict[str, Any]] = [
        step(event.captured_at, _("Seen by %s") % (event.camera_name or event.source.name), event.rule, "camera"),
        step(event.received_at, _("Received"), _("clock was off") if event.clock_skewed else "", "inbox"),
    ]
    for row in event.routings.order_by("routed_at"):
        steps.append(step(row.routed_at, _("Routed: %s") % row.get_decision_display(), row.rule_name, "git-branch"))
    for parking in event.parkings.order_by("parked_at"):
        steps.append(
            step(parking.parked_at, _("Parked: %s") % parking.get_cause_display(), parking.value, "circle-help")
        )
    if hold := Hold.objects.filter(event=event).first():
        asked = _("A machine waits; without an answer it does: %s") % hold.fallback
        steps.append(step(event.received_at, asked, "", "hourglass"))
        if hold.resolved_at is not None:
            steps.append(step(hold.resolved_at, hold.get_state_display().capitalize(), "", "timer"))
    for verdict in Verdict.objects.filter(item__event=event).select_related(
        "person", "retraction", "reopening__person"
    ):
        labelled = ", ".join(label["class"] for label in verdict.labels[:6])
        detail = " · ".join(part for part in (labelled, verdict.note) if part)
        steps.append(step(verdict.created_at, f"{verdict.person}: {verdict.get_answer_display()}", detail, "check"))
        if hasattr(verdict, "retraction"):
            steps.append(step(verdict.retraction.created_at, _("Taken back by %s") % verdict.person, "", "undo-2"))
        if hasattr(verdict, "reopening"):
            again = verdict.reopening
            steps.append(step(again.created_at, _("Opened again by %s") % again.person, again.reason, "rotate-ccw"))
    steps += put_away(event)
    for release_row in ReleaseRow.objects.filter(event=event).select_related("release"):
        release = release_row.release
        steps.append(step(release.created_at, _("In release %s") % release, release_row.get_split_display(), "package"))
    return sorted(steps, key=lambda entry: entry["at"])


PUT_AWAY = {
    "item.skipped": (gettext_lazy("%(who)s: skipped"), "skip-forward"),
    "item.snoozed": (gettext_lazy("%(who)s: put off"), "alarm-clock"),
    "item.handed_back": (gettext_lazy("%(who)s: handed back to %(to)s"), "undo-2"),
    "item.escalated": (gettext_lazy("%(who)s: escalated to %(to)s"), "arrow-up"),
}


def put_away(event: Event) -> list[dict[str, Any]]:
    """Who put it off or sent it on, and why: the trail alone keeps this, as an item knows its latest state only."""
    rows = AuditEntry.objects.filter(subject_id=event.pk, verb__in=PUT_AWAY)
    steps = []
    for entry in rows.select_related("actor").order_by("-id")[:MOST_PUT_AWAY]:
        facts = entry.additional_data or {}
        said, icon = PUT_AWAY[entry.verb]
        title = str(said) % {"who": who(entry), "to": facts.get("to", "–")}
        steps.append(step(entry.timestamp, title, facts.get("note", ""), icon))
    return steps


def step(at: datetime, title: str, detail: str, icon: str) -> dict[str, Any]:
    return {"at": at, "title": title, "detail": detail, "icon": icon}
