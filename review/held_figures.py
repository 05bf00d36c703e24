"""How queues stand with machines that wait: what supervisors see at a glance, by queries and never by stored sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from review.actions.duties import LASTS
from review.models import Duty, Hold, HoldState, Queue

EXPIRED_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class HeldFigures:
    """Of one queue: machines that wait now, those that waited in vain within a day, and who could answer."""

    waiting: int = 0
    expired: int = 0
    on_duty: int = 0

    @property
    def unattended(self) -> bool:
        """A machine waits and nobody is there: an alert at once."""
        return self.waiting > 0 and self.on_duty == 0

    def __bool__(self) -> bool:
        return bool(self.waiting or self.expired)


def held_figures(queues: Sequence[Queue], now: datetime) -> dict[UUID, HeldFigures]:
    """The figures of each queue, in three queries."""
    holds = Hold.objects.filter(queue__in=queues)
    waiting = counted(holds.waiting().filter(deadline_at__gt=now))
    expired = counted(holds.filter(state=HoldState.EXPIRED, resolved_at__gt=now - EXPIRED_WITHIN))
    duty = counted(Duty.objects.on_duty(now, LASTS).filter(queue__in=queues))
    return {
        queue.pk: HeldFigures(waiting.get(queue.pk, 0), expired.get(queue.pk, 0), duty.get(queue.pk, 0))
        for queue in queues
    }


def counted(rows: "QuerySet[Any]") -> dict[UUID, int]:
    return dict(rows.order_by().values("queue_id").annotate(n=Count("pk")).values_list("queue_id", "n"))
