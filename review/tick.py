"""Periodic work: every worker calls `tick`, and a lease in the database lets one of them act."""

import os
import socket
from datetime import datetime, timedelta

import structlog
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import Lease
from accounts.seal.anchoring import anchor_when_due
from accounts.seal.daily import verify_when_due
from accounts.seal.sealer import seal_when_due
from inference.tallies import fold_tallies
from review import partials
from review.actions.clones import notice_clones
from review.actions.holds import expire_due
from review.actions.releases import resume_stuck
from review.actions.retention import walk_when_due
from review.actions.sequencer import sequence_outcomes
from review.actions.uploads import resume_stuck_uploads, sweep_uploads
from review.file_rounds import check_files_when_due
from review.tasks.mapping import sweep_parked
from review.tasks.renditions import sweep_renditions

logger = structlog.get_logger(__name__)
HOLDER = f"{socket.gethostname()}:{os.getpid()}"
LEASE = timedelta(seconds=15)
# Housekeeping is due this often; the rest at each tick.
HOUSEKEEPING = timedelta(minutes=10)
CLONES = timedelta(seconds=20)
FINISHED_TASKS_KEPT = timedelta(days=1)


def tick() -> bool:
    """Do what is due, if this process holds the lease; whether it did."""
    now = timezone.now()
    if not Lease.objects.take("tick", holder=HOLDER, now=now, lasts=LEASE):
        return False
    expire_due(now=now)
    sequence_outcomes(now=now)
    resume_stuck(now=now)
    resume_stuck_uploads(now=now)
    if Lease.objects.take("clones", holder=str(now), now=now, lasts=CLONES):
        notice_clones(now=now)
    if Lease.objects.take("housekeeping", holder=str(now), now=now, lasts=HOUSEKEEPING):
        housekeeping(now)
    seal_when_due(now=now)
    verify_when_due(now=now)
    check_files_when_due(now=now)
    walk_when_due(now=now)
    # Last, because it waits for others: a place outside that hangs takes a few seconds of this and nothing else.
    anchor_when_due(now=now)
    return True


def housekeeping(now: datetime) -> None:
    """What may wait some minutes: lost renditions, abandoned uploads, and records of tasks that are long done."""
    sweep_renditions(now=now)
    sweep_parked(now=now)
    partials.sweep()
    sweep_uploads(now=now)
    fold_tallies(now=now)
    DBTaskResult.objects.finished().filter(finished_at__lt=now - FINISHED_TASKS_KEPT).delete()
