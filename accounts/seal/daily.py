"""The daily verification: the whole log in slices, one per tick, so that nothing else waits for it."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit
from accounts.models.seal import Checkpoint, Verification
from accounts.seal import keys
from accounts.seal.findings import Findings
from accounts.seal.log_check import LogCheck
from accounts.seal.store import last_checkpoint
from accounts.seal.strays import strays

EVERY = timedelta(days=1)
SLICE = 10_000
KEPT = 100


def verify_when_due(*, now: datetime) -> None:
    """The tick's part: the next slice of a verification that is under way, or the first one of a new day."""
    running = Verification.objects.order_by("-id").first()
    if running is not None and running.finished_at is None:
        go_on(running, now=now)
    elif running is None or now - running.started_at >= EVERY or now < running.started_at:
        begin(now=now)


def begin(*, now: datetime) -> None:
    checkpoint = last_checkpoint()
    if checkpoint is not None:
        go_on(Verification.objects.create(started_at=now, size=checkpoint.size), now=now)


def go_on(running: Verification, *, now: datetime) -> None:
    """Verify up to the checkpoint that ends the next slice; the last slice looks for stray rows as well."""
    findings = Findings()
    until = slice_end(running)
    note = Checkpoint.objects.order_by("size").values_list("note", flat=True).first() or ""
    origin = note.partition("\n")[0]
    LogCheck(known=keys.trusted(origin), start=running.position, end=until, origin=origin, findings=findings).run()
    if until >= running.size:
        for stray in strays():
            findings.add(stray)
    running.position = until
    running.findings = (running.findings + [problem.as_json() for problem in findings.kept])[:KEPT]
    # A log that does not hold here is told of at once; what comes after could not be judged anyway.
    if until >= running.size or running.findings:
        finish(running, now=now)
    else:
        running.save(update_fields=["position", "findings"])


def slice_end(running: Verification) -> int:
    ends = Checkpoint.objects.filter(size__gte=running.position + SLICE, size__lte=running.size).order_by("size")
    return ends.values_list("size", flat=True).first() or running.size


def finish(running: Verification, *, now: datetime) -> None:
    """The result and its entry."""
    running.finished_at, running.ok = now, not running.findings
    with transaction.atomic():
        running.save(update_fields=["position", "findings", "finished_at", "ok"])
        audit.record(
            "audit.verified",
            actor=None,
            on=running,
            action=audit.Action.CREATE,
            ok=running.ok,
            entries=running.position,
            problems=len(running.findings),
        )
