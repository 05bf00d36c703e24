"""`/metrics` for Prometheus: figures from the database, the same whichever process is asked. Not public.

Open to this machine itself, and to whoever sends the bearer token of `SECONDLOOK_METRICS_TOKEN`. The proxy of the
reference deployment passes nobody from outside on.
"""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from accounts.authentication import parsed
from accounts.doors import public
from accounts.exceptions import NotFound
from accounts.models.seal import Unsealed
from deploy.proxies import FORWARDED
from inference.models import PossibleClone, SourceTally
from review.evidence_store import free_bytes
from review.models import Evidence, EvidenceState, Hold, HoldState, Item, Parking, Verdict


@require_safe
@public("only for this machine, or with the token of SECONDLOOK_METRICS_TOKEN; otherwise 404")
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        raise NotFound
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FromDatabase())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    token, sent = settings.SECONDLOOK["METRICS_TOKEN"], request.headers.get("Authorization", "")
    if token:
        return hmac.compare_digest(sent.encode(), f"Bearer {token}".encode())
    address = parsed(request.META.get("REMOTE_ADDR", ""))
    # Behind a proxy the peer is always this machine, so whoever was forwarded counts as a stranger.
    return address is not None and address.is_loopback and not request.META.get(FORWARDED, True)


class FromDatabase:
    """Collects when it is asked; names without people or sites' secrets, sites by their short names."""

    def collect(self) -> Iterator[Metric]:
        yield from calls()
        yield from work()
        yield from files()
        yield gauge("audit_unsealed_entries", "Audit entries that wait for the seal.", unsealed())


def calls() -> Iterator[Metric]:
    family = CounterMetricFamily("secondlook_source_calls", "Calls of sources.", labels=["site", "outcome", "reason"])
    rows = SourceTally.objects.order_by().values_list("source__site__slug", "outcome", "reason")
    for site, outcome, reason, total in rows.annotate(total=Sum("count")).values_list(
        "source__site__slug", "outcome", "reason", "total"
    ):
        family.add_metric([site, outcome, reason], total)
    yield family


def work() -> Iterator[Metric]:
    now = timezone.now()
    family = GaugeMetricFamily("secondlook_open_items", "Items that wait.", labels=["site", "queue"])
    overdue = GaugeMetricFamily("secondlook_overdue_items", "Items past their time.", labels=["site", "queue"])
    for shown, rows in ((family, Item.objects.open()), (overdue, Item.objects.overdue(now))):
        counted = rows.order_by().values("site__slug", "queue__slug").annotate(n=Count("pk"))
        for site, queue, n in counted.values_list("site__slug", "queue__slug", "n"):
            shown.add_metric([site, queue], n)
        yield shown
    yield gauge("parked_events", "Names that wait in the inbox.", Parking.objects.filter(resolved_at=None).count())
    clones = PossibleClone.objects.filter(dismissed_at=None).count()
    yield gauge("possible_clones", "Sources with which two devices seem to post.", clones)
    yield gauge("holds_waiting", "Machines that wait.", Hold.objects.waiting().filter(deadline_at__gt=now).count())
    expired = CounterMetricFamily("secondlook_holds_expired", "Machines that got no answer in time.")
    expired.add_metric([], Hold.objects.filter(state=HoldState.EXPIRED).count())
    yield expired
    verdicts = CounterMetricFamily("secondlook_verdicts", "Answers of people.", labels=["answer"])
    for answer, n in Verdict.objects.order_by().values_list("answer").annotate(n=Count("pk")):
        verdicts.add_metric([answer], n)
    yield verdicts


def files() -> Iterator[Metric]:
    kept = Evidence.objects.filter(removed_at=None).aggregate(n=Count("pk"), total=Sum("size"))
    yield gauge("evidence_files", "Files of evidence.", kept["n"])
    yield gauge("evidence_bytes", "Bytes of evidence, the originals.", kept["total"] or 0)
    damaged = Evidence.objects.filter(state=EvidenceState.DAMAGED, removed_at=None).count()
    yield gauge("evidence_damaged", "Evidence that cannot be shown.", damaged)
    if (free := free_bytes()) is not None:
        yield gauge("free_bytes", "Room left in the file store.", free)


def unsealed() -> int:
    return Unsealed.objects.count()


def gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"secondlook_{name}", help_text)
    family.add_metric([], value)
    return family
