"""The door to queues, items, events, evidence, policies and releases."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import Visitor, permitted, reach
from accounts.exceptions import NotFound, Refused
from accounts.models import Grant, User
from accounts.models.grant import Scope
from accounts.roles import Right, roles_with
from inference.access import site_for, sites_for, sites_in_use
from inference.models import Site, Source
from review.models import (
    Claim,
    Event,
    Evidence,
    GuideExample,
    Item,
    Opening,
    Queue,
    Release,
    Taxonomy,
    UploadJob,
    Verdict,
)


def queues_for(person: Visitor, right: Right) -> QuerySet[Queue]:
    """The queues on which `person` holds `right` now."""
    where = reach(person, right)
    if not where:
        return Queue.objects.none()
    found = permitted(person, right, Queue.objects.all()).select_related("site", "taxonomy")
    if where.everywhere:
        return found
    return found.filter(Q(site__in=where.sites) | Q(pk__in=where.queues))


def queues_in_use(person: Visitor, right: Right) -> QuerySet[Queue]:
    """As `queues_for`, without those that are retired or at a retired site."""
    return queues_for(person, right).filter(retired_at=None, site__retired_at=None)


def queue_for(person: Visitor, right: Right, pk: UUID) -> Queue:
    """The queue; NotFound when the person cannot see it, Refused when he sees it but lacks this right."""
    queue = queues_for(person, right).filter(pk=pk).first()
    if queue is not None:
        return queue
    if right != Right.SEE_EVENTS and queues_for(person, Right.SEE_EVENTS).filter(pk=pk).exists():
        raise Refused
    raise NotFound


def reviewers_of(queue: Queue) -> QuerySet[User]:
    """The active people who may claim and answer items of a queue now."""
    scope = Q(scope_type=Scope.EVERYWHERE)
    scope |= Q(scope_type=Scope.SITE, scope_id=queue.site_id) | Q(scope_type=Scope.QUEUE, scope_id=queue.pk)
    grants = Grant.objects.live(timezone.now()).filter(scope, role__in=roles_with(Right.REVIEW))
    return User.objects.filter(is_active=True, pk__in=grants.values("person"))


def events_for(person: Visitor) -> QuerySet[Event]:
    """The events that `person` may see: of whole sites, and for operators those that came into their queues.

    Who may see the releases of a site (supervisors, ML engineers) sees all of its events. An auditor sees what he
    opened with a reason, for as long as that lasts.
    """
    mine = Item.objects.filter(queue__in=queues_for(person, Right.SEE_EVENTS)).values("event")
    seen = Q(site__in=sites_for(person, Right.SEE_RELEASES)) | Q(pk__in=mine)
    if openable := sites_for(person, Right.OPEN_EVENTS):
        openings = openings_for(person).filter(site__in=openable)
        seen |= Q(pk__in=openings.exclude(event=None).values("event"))
        seen |= Q(site__in=openings.filter(event=None).values("site"))
    return Event.objects.filter(seen)


def openings_for(person: Visitor) -> QuerySet[Opening]:
    """What `person` opened with a reason and what is still open, the right apart."""
    return Opening.objects.live(timezone.now()).filter(person_id=person.pk)


def opening_of(person: Visitor, event: Event) -> Opening | None:
    """The opening through which `person` sees `event`; None for somebody who needs none."""
    return opening_at(person, event.site_id, Q(event=event))


def opening_of_evidence(person: Visitor, evidence: Evidence) -> Opening | None:
    """The opening through which `person` sees `evidence`; None for somebody who needs none."""
    return opening_at(person, evidence.site_id, Q(event__evidence_rows__evidence=evidence))


def opening_at(person: Visitor, site_id: UUID, what: Q) -> Opening | None:
    if not sites_for(person, Right.OPEN_EVENTS).filter(pk=site_id).exists():
        return None
    return openings_for(person).filter(what | Q(event=None, site_id=site_id)).order_by("created_at").last()


def openable_event_for(person: Visitor, pk: UUID) -> Event:
    """An event that `person` may open by giving a reason; nothing of it is shown before."""
    event = Event.objects.filter(site__in=sites_for(person, Right.OPEN_EVENTS), pk=pk).select_related("site").first()
    if event is None:
        raise NotFound
    return event


def event_for(person: Visitor, pk: UUID) -> Event:
    event = events_for(person).select_related("site", "camera", "source").filter(pk=pk).first()
    if event is None:
        raise NotFound
    return event


def first_event_for(person: Visitor, source: Source) -> Event | None:
    """The first event of `source`, for whoever may see the site's events or made the source; None for others.

    So that somebody who connects a camera sees what it sends without a right on anything else of the site.
    """
    event = Event.objects.filter(source=source).select_related("site").order_by("received_at", "id").first()
    if event is None:
        return None
    mine = source.created_by_id is not None and source.created_by_id == person.pk
    return event if mine or events_for(person).filter(pk=event.pk).exists() else None


def evidence_for(person: Visitor, pk: UUID) -> Evidence:
    """Evidence of an event that `person` may see, through the same door as the event."""
    evidence = Evidence.objects.select_related("site").filter(pk=pk).first()
    if evidence is None:
        raise NotFound
    if not (events_for(person).filter(evidence_rows__evidence=evidence).exists() or in_a_guide_for(person, evidence)):
        raise NotFound
    return evidence


def in_a_guide_for(person: Visitor, evidence: Evidence) -> bool:
    """Whether a guide that `person` reads shows it, though its event came into another queue."""
    rows = GuideExample.objects.filter(evidence=evidence, removed_in=None)
    return rows.filter(queue__in=queues_for(person, Right.SEE_EVENTS)).exists()


def example_for(person: Visitor, pk: UUID) -> GuideExample:
    """An example in a guide that `person` writes."""
    rows = GuideExample.objects.select_related("queue", "shows")
    example = rows.filter(pk=pk, queue__in=queues_for(person, Right.MANAGE_QUEUES)).first()
    if example is None:
        raise NotFound
    return example


def original_for(person: Visitor, pk: UUID) -> Evidence:
    """Evidence whose own bytes `person` may have; Refused when only its upright copies are for him."""
    evidence = evidence_for(person, pk)
    if not sites_for(person, Right.SEE_ORIGINALS).filter(pk=evidence.site_id).exists():
        raise Refused
    return evidence


def items_for(person: Visitor, right: Right) -> QuerySet[Item]:
    return Item.objects.filter(queue__in=queues_for(person, right))


def item_for(person: Visitor, right: Right, pk: UUID) -> Item:
    item = items_for(person, right).select_related("event", "queue", "queue__taxonomy", "site").filter(pk=pk).first()
    if item is None:
        raise NotFound
    return item


def claim_for(person: Visitor, pk: UUID) -> Claim:
    """The person's own claim, as long as he may still work on its queue."""
    found = Claim.objects.select_related("item", "item__queue")
    claim = found.filter(pk=pk, holder_id=person.pk, item__queue__in=queues_for(person, Right.REVIEW)).first()
    if claim is None:
        raise NotFound
    return claim


def verdict_for(person: Visitor, pk: UUID) -> Verdict:
    """The person's own verdict in a queue that he may still work on."""
    found = Verdict.objects.select_related("item", "item__queue", "item__event")
    verdict = found.filter(pk=pk, person_id=person.pk, item__queue__in=queues_for(person, Right.REVIEW)).first()
    if verdict is None:
        raise NotFound
    return verdict


def answers_of(person: Visitor) -> QuerySet[Verdict]:
    """The person's own answers in queues that he may still work on, the newest first."""
    rows = Verdict.objects.filter(person_id=person.pk, item__queue__in=queues_for(person, Right.REVIEW))
    return rows.select_related("item__queue__site", "item__event").order_by("-created_at", "-id")


def verdict_to_reopen(person: Visitor, pk: UUID) -> Verdict:
    """A verdict that `person` may open again: any of a queue that he steers, or his own where the queue allows it.

    Raises NotFound for what is not his to see, Refused where the queue does not allow it.
    """
    steered = Q(item__queue__in=queues_for(person, Right.MANAGE_QUEUES))
    own = Q(person_id=person.pk, item__queue__in=queues_for(person, Right.REVIEW))
    rows = Verdict.objects.select_related("item", "item__queue", "item__event", "person")
    verdict = rows.filter(steered | own, pk=pk).first()
    if verdict is None:
        raise NotFound
    if not verdict.item.queue.allows_reopening and not rows.filter(steered, pk=pk).exists():
        raise Refused(
            _("This queue does not let people reopen their own answers; ask a supervisor."), code="no_reopening"
        )
    return verdict


def taxonomies_for(person: Visitor) -> QuerySet[Taxonomy]:
    """The taxonomies that `person` may change."""
    return Taxonomy.objects.filter(site__in=sites_for(person, Right.MANAGE_TAXONOMY)).select_related("site")


def taxonomy_for(person: Visitor, pk: UUID) -> Taxonomy:
    taxonomy = taxonomies_for(person).filter(pk=pk).first()
    if taxonomy is None:
        raise NotFound
    return taxonomy


def releases_for(person: Visitor, right: Right = Right.SEE_RELEASES) -> QuerySet[Release]:
    return Release.objects.filter(site__in=sites_for(person, right)).select_related("site", "taxonomy", "created_by")


def manifests_for(person: Visitor) -> QuerySet[Release]:
    """The releases of which `person` may read the data sheet and the manifest, the files themselves apart."""
    return releases_for(person) | releases_for(person, Right.SEE_MANIFESTS)


def manifest_for(person: Visitor, pk: UUID) -> Release:
    release = manifests_for(person).filter(pk=pk).first()
    if release is None:
        raise NotFound
    return release


def release_for(person: Visitor, pk: UUID, right: Right = Right.SEE_RELEASES) -> Release:
    """The release; Refused when the person sees it but may not do this with it."""
    release = releases_for(person, right).filter(pk=pk).first()
    if release is not None:
        return release
    if manifests_for(person).filter(pk=pk).exists():
        raise Refused
    raise NotFound


def upload_sites_for(person: Visitor) -> QuerySet[Site]:
    """The sites to which `person` may bring pictures: where he may review on the whole site, or manages its sources.

    A right on one queue is not enough: the site's policy decides into which queue a picture goes.
    """
    return sites_in_use(person, Right.REVIEW) | sites_in_use(person, Right.MANAGE_SOURCES)


def uploads_for(person: Visitor) -> QuerySet[UploadJob]:
    """His own uploads at sites to which he may still bring pictures, and all those of sites whose sources he sees."""
    mine = Q(person_id=person.pk, site__in=upload_sites_for(person))
    found = UploadJob.objects.filter(mine | Q(site__in=sites_for(person, Right.SEE_SOURCES)))
    return found.select_related("site", "camera", "person", "source")


def upload_for(person: Visitor, pk: UUID) -> UploadJob:
    job = uploads_for(person).filter(pk=pk).first()
    if job is None:
        raise NotFound
    return job


def own_upload_for(person: Visitor, pk: UUID) -> UploadJob:
    """The person's own upload, to add to it and to send it; Refused when it is somebody else's that he sees."""
    job = upload_for(person, pk)
    if job.person_id != person.pk or not upload_sites_for(person).filter(pk=job.site_id).exists():
        raise Refused
    return job


def endable_upload_for(person: Visitor, pk: UUID) -> UploadJob:
    """An upload that `person` may cancel: his own, or one of a site whose sources he manages."""
    job = upload_for(person, pk)
    if sites_for(person, Right.MANAGE_SOURCES).filter(pk=job.site_id).exists():
        return job
    return own_upload_for(person, pk)


__all__ = ["site_for", "sites_for"]
