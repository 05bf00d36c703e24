"""What was wrong with the last calls of a source, for whoever connects it: codes and places, never a value.

Hints, kept in the cache for a day and bounded: losing them loses nothing, and a flood of refused calls writes no row.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from accounts.exceptions import SecondLookError
from accounts.throttle import shared_or_own
from inference.models import Source
from review import broadcast
from review.fault_words import advice

MOST = 10
LASTS_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused call: when, its stable code, its words, and the JSON path of the first fault if there is one."""

    at: datetime
    code: str
    detail: str
    path: str
    count: int = 1

    @property
    def advice(self) -> str:
        """What to do about it."""
        return advice(self.code)


def key_of(source_id: UUID) -> str:
    return f"source-faults:{source_id}"


def note(request: HttpRequest, error: SecondLookError) -> None:
    """Remember a refused call of a source. The same fault again only moves its time and count."""
    source = getattr(request, "auth", None)
    if not isinstance(source, Source):
        return
    path = next((str(fault["path"]) for fault in error.members.get("errors", [])), "")
    fault = Fault(timezone.now(), error.code, str(error.detail)[:300], path[:200])
    shared_or_own(lambda store: store.set(key_of(source.pk), added(store.get(key_of(source.pk)), fault), LASTS_S))
    broadcast.source_fault(source.pk)


def added(kept: list[dict[str, Any]] | None, fault: Fault) -> list[dict[str, Any]]:
    rows = list(kept or [])
    same = [row for row in rows if (row["code"], row["path"]) == (fault.code, fault.path)]
    count = 1 + sum(row["count"] for row in same)
    return [asdict(fault) | {"count": count}, *(row for row in rows if row not in same)][:MOST]


def faults_of(source_id: UUID) -> list[Fault]:
    """The last faults of a source, the newest first."""
    return [Fault(**row) for row in cache.get(key_of(source_id)) or []]
