"""How much of a person's work is urgent, for a locked screen: counts, and nothing of the items."""

from datetime import datetime

from accounts.models import User
from accounts.roles import Right
from accounts.urgent import MOST, Urgent
from review.access import queues_in_use
from review.models import Item
from review.querysets import ItemQuerySet
from review.views.queues import AT_RISK_WITHIN


def urgent_items(person: User, now: datetime) -> Urgent:
    """What the person could claim and what is late or soon will be, in the queues where he may answer."""
    rows = Item.objects.filter(queue__in=queues_in_use(person, Right.REVIEW)).claimable_by(person, now)
    return Urgent(overdue=few(rows.overdue(now)), at_risk=few(rows.at_risk(now, AT_RISK_WITHIN)))


def few(rows: ItemQuerySet) -> int:
    return rows.order_by()[:MOST].count()
