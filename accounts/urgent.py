"""What calls a person back to a locked screen: counts only, from the app that knows what is urgent.

That app registers its counter in its `AppConfig.ready`, because this one knows nothing of queues.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User

# More than this are not counted: the call is the same.
MOST = 100


@dataclass(frozen=True, slots=True)
class Urgent:
    """Items that nobody holds: past their time, and those that will be soon. At most `MOST` of each."""

    overdue: int = 0
    at_risk: int = 0

    @property
    def total(self) -> int:
        return self.overdue + self.at_risk


Counter = Callable[[User, datetime], Urgent]
_counters: list[Counter] = []


def register(counter: Counter) -> None:
    """Ask `counter(person, now)` for the urgent items of the person's queues."""
    if counter not in _counters:
        _counters.append(counter)


def urgent_for(person: User, now: datetime) -> Urgent:
    counts = [counter(person, now) for counter in _counters]
    return Urgent(sum(one.overdue for one in counts), sum(one.at_risk for one in counts))
