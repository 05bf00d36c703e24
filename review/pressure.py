"""What holds a source or a site back: its own rate, and how many bytes of evidence a site may keep.

Requests are bounded before they are read (deploy/limits, nginx), and callers take turns at the server's threads; this
is what only the database can know. The counters are in the cache, which several workers share; without it each process
counts for itself with the same bounds.
"""

import time
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import SecondLookError
from accounts.throttle import shared_or_own
from inference.models import Site, Source
from review.models import Evidence

WINDOW_S = 10
# How long a look at what a site keeps counts; what comes in meanwhile is added.
USAGE_S = 30


class TooFast(SecondLookError):
    """`retry_after` in the members says for how many seconds."""

    status, code, title = 429, "source_rate", _("This source posts faster than it may.")


class QuotaFull(SecondLookError):
    status, code, title = 503, "quota_full", _("This site keeps as many bytes of evidence as it may.")


def require_rate(source: Source, *, events: int = 1) -> None:
    """Count events of a source that has a rate of its own. Raises TooFast over it."""
    if source.events_per_second is None:
        return
    window = int(time.time() // WINDOW_S)
    key, most = f"rate:{source.pk}:{window}", source.events_per_second * WINDOW_S
    if shared_or_own(lambda store: counted(store, key, events)) > most:
        raise TooFast(retry_after=max(1, round((window + 1) * WINDOW_S - time.time())))


def counted(store: Any, key: str, n: int) -> int:
    store.add(key, 0, timeout=2 * WINDOW_S)
    return int(store.incr(key, n))


def require_quota(site: Site, *, more: int) -> None:
    """Raise QuotaFull when `more` bytes would be more than the site may keep."""
    quota = site.evidence_quota_bytes
    if quota is None or not more:
        return
    key = f"usage:{site.pk}"
    used = shared_or_own(lambda store: added(store, key, more))
    if used is None:
        used = usage(site.pk) + more
        shared_or_own(lambda store: store.set(key, used, USAGE_S))
    if used > quota:
        shared_or_own(lambda store: added(store, key, -more))
        raise QuotaFull(retry_after=60)


def added(store: Any, key: str, n: int) -> int | None:
    """A counter with `n` more; None when nobody counts there."""
    try:
        return int(store.incr(key, n))
    except ValueError:
        return None


def usage(site_id: UUID) -> int:
    """Bytes of evidence that a site keeps, the originals."""
    rows = Evidence.objects.filter(site_id=site_id, removed_at=None)
    return rows.aggregate(total=Sum("size"))["total"] or 0


def forget_usage(site_id: UUID) -> None:
    """Look again: something was removed, or the quota changed."""
    shared_or_own(lambda store: store.delete(f"usage:{site_id}"))
