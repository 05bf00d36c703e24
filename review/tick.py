"""Periodic work: every worker calls `tick`, and a lease in the database lets one of them act."""

import os
import socket
from datetime import timedelta

import structlog
from django.utils import timezone

from accounts.models import Lease
from review.actions.releases import resume_stuck
from review.actions.sequencer import sequence_outcomes

logger = structlog.get_logger(__name__)
HOLDER = f"{socket.gethostname()}:{os.getpid()}"
LEASE = timedelta(seconds=15)


def tick() -> bool:
    """Do what is due, if this process holds the lease; whether it did."""
    now = timezone.now()
    if not Lease.objects.take("tick", holder=HOLDER, now=now, lasts=LEASE):
        return False
    sequence_outcomes(now=now)
    resume_stuck(now=now)
    return True
