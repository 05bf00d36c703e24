"""What apps above this one have found wrong, for those who read the audit trail there.

They register a teller in their `AppConfig.ready`, because this app knows nothing of their rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.access import Reach


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong: a sentence, and under `about` the names and addresses of a few that it is about."""

    text: str
    about: str
    links: tuple[tuple[str, str], ...] = ()


Teller = Callable[[Reach], list[Alarm]]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Ask `teller(where)` for what is wrong at the places whose trail somebody reads."""
    if teller not in _tellers:
        _tellers.append(teller)


def alarms(where: Reach) -> list[Alarm]:
    return [alarm for teller in _tellers for alarm in teller(where)] if where else []
