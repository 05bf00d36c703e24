"""What a new site needs so that its first event lands before a person: a queue with classes, and rules to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from inference.models import Site
from review.actions.policies import publish
from review.actions.setup import create_queue, create_taxonomy
from review.models import Policy, PolicyState, Queue


def basic_rules(queue: Queue) -> list[dict[str, Any]]:
    """Everything that a source finds worth posting is looked at; confident samples come last."""
    return [
        {"name": "reports", "kinds": ["report"], "queue": queue, "priority": 1, "explanation": "Somebody reported it."},
        {"name": "flagged", "kinds": ["flagged"], "queue": queue, "priority": 2},
        {"name": "unsure", "kinds": ["unsure"], "low": 0.0, "high": 1.0, "queue": queue, "priority": 3},
        {
            "name": "sample",
            "kinds": ["sample"],
            "queue": queue,
            "priority": 4,
            "explanation": "A sample of what the model is sure of, so that missed things become visible.",
        },
        {"name": "everything else passes", "queue": None},
    ]


def begin_queue(
    *, site: Site, slug: str, name: str, taxonomy_name: str, classes: Sequence[str], maker: User | None, now: datetime
) -> Queue:
    """A queue with classes of its own, and, where the site has no live policy yet, rules that lead everything to it."""
    with transaction.atomic():
        taxonomy = create_taxonomy(site=site, slug=slug, name=taxonomy_name, classes=classes, maker=maker)
        queue = create_queue(site=site, slug=slug, name=name, taxonomy=taxonomy, maker=maker, now=now)
        if not Policy.objects.filter(site=site, state=PolicyState.LIVE).exists():
            publish(site=site, rules=basic_rules(queue), person=maker, reason="first queue of the site", now=now)
    return queue
