"""Where events, queues and releases are looked for when somebody asks who may open them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.access import Visitor
from accounts.exceptions import NotFound, Refused
from accounts.explain import Door, Needs, register
from accounts.roles import Right
from review.access import event_for, manifest_for, queues_for
from review.models import Event, Item, Queue, Release


def register_doors() -> None:
    register("events", Door(_("Event"), hidden(event_for), event_needs))
    register("queues", Door(_("Queue"), find_queue, queue_needs))
    register("releases", Door(_("Release"), hidden(manifest_for), release_needs))


def hidden(door: Callable[[Visitor, UUID], Any]) -> Callable[[Visitor, UUID], Any]:
    """A door that returns None where it would raise."""

    def find(visitor: Visitor, pk: UUID) -> Any:
        try:
            return door(visitor, pk)
        except (NotFound, Refused):
            return None

    return find


def find_queue(visitor: Visitor, pk: UUID) -> Queue | None:
    return queues_for(visitor, Right.SEE_EVENTS).filter(pk=pk).first()


def event_needs(event: Event) -> list[Needs]:
    queues = frozenset(Item.objects.filter(event=event).values_list("queue_id", flat=True))
    reason = Needs(Right.OPEN_EVENTS, event.site_id, first=_("after saying why"))
    needs = [Needs(Right.SEE_RELEASES, event.site_id), reason]
    return [Needs(Right.SEE_EVENTS, event.site_id, queues), *needs] if queues else needs


def queue_needs(queue: Queue) -> list[Needs]:
    return [Needs(Right.SEE_EVENTS, queue.site_id, frozenset({queue.pk}))]


def release_needs(release: Release) -> list[Needs]:
    return [Needs(Right.SEE_RELEASES, release.site_id), Needs(Right.SEE_MANIFESTS, release.site_id)]
