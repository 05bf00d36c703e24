"""What other apps do when somebody is deactivated: give back what he holds, forget what lets him in.

They register here in their `AppConfig.ready`, because this app knows none of them. Each runs inside the transaction of
the deactivation, so that all of it happens or none.
"""

from collections.abc import Callable
from datetime import datetime

from accounts.models import User

Departure = Callable[[User, datetime], None]
_departures: list[Departure] = []


def register(departure: Departure) -> None:
    """Call `departure(person, now)` whenever somebody is deactivated."""
    if departure not in _departures:
        _departures.append(departure)


def run(person: User, now: datetime) -> None:
    for departure in _departures:
        departure(person, now)
