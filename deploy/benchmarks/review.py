"""Claim and verdict at 1 k and 100 k open items, one and eight operators, on this database.

Budgets: claim p95 < 15 ms and flat in the number of items (ratio < 1.5); claim + verdict >= 40/s embedded. The actions
are called in process; the baseline is one durable transaction that inserts one row.
"""

import os
import tempfile
import threading
import time
from pathlib import Path
from random import uniform
from typing import Any

SIZES = (1_000, 100_000)
OPERATORS = (1, 8)
SECONDS = 10.0
# A very fast operator answers every 400 ms; without a pause the threads measure each other's queue.
PACE_S = 0.4


def set_up(folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.embedded")
    os.environ.setdefault("SECONDLOOK_SECRET_KEY", "only-for-this-benchmark")
    os.environ["SECONDLOOK_DATA"] = str(folder)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def operators(queue: Any, count: int) -> list[Any]:
    """People who may work on the queue."""
    from django.utils import timezone

    from accounts.actions.grants import give
    from accounts.actions.people import create_person
    from accounts.models.grant import Scope
    from accounts.roles import Role

    now, made = timezone.now(), []
    for number in range(count):
        person = create_person(username=f"bench-{number}", name="", password="benchmark", maker=None, now=now)
        give(
            person=person,
            role=Role.OPERATOR,
            scope=Scope.SITE,
            scope_id=queue.site_id,
            reason="bench",
            giver=None,
            now=now,
        )
        made.append(person)
    return made


def work(queue: Any, person: Any, end: float, pace_s: float, claims: list[float], verdicts: list[float]) -> None:
    """Claim and confirm until the time is over, at most once in `pace_s`."""
    from uuid import uuid4

    from django.db import connections
    from django.utils import timezone

    from review.actions.claims import claim_next
    from review.actions.verdicts import give_verdict
    from review.schemas import VerdictIn, read

    # People do not press their keys in step.
    time.sleep(uniform(0, pace_s))
    while time.perf_counter() < end:
        begin = time.perf_counter()
        claim = claim_next(queue=queue, person=person, now=timezone.now())
        claimed = time.perf_counter()
        if claim is None:
            break
        body = {"key": str(uuid4()), "claim_token": str(claim.token), "version": claim.item.version}
        answer = read(VerdictIn, body | {"answer": "confirm", "complete": True})
        give_verdict(item=claim.item, person=person, answer=answer, now=timezone.now())
        claims.append(claimed - begin)
        verdicts.append(time.perf_counter() - claimed)
        time.sleep(max(0.0, pace_s - (time.perf_counter() - begin)) * uniform(0.5, 1.5))
    connections.close_all()


def baseline() -> float:
    """Seconds of one durable transaction that inserts one row: the median of a hundred."""
    from django.db import transaction
    from django.utils import timezone

    from accounts.models import Lease

    taken = []
    for number in range(100):
        begin = time.perf_counter()
        with transaction.atomic():
            Lease.objects.create(name=f"bench-{timezone.now().timestamp()}-{number}", expires_at=timezone.now())
        taken.append(time.perf_counter() - begin)
    return sorted(taken)[50]


def measure(queue: Any, people: list[Any], pace_s: float) -> tuple[float, float]:
    """Print a run's figures; claim p95 in milliseconds, and verdicts per second."""
    from deploy.benchmarks.load import percentiles

    claims: list[float] = []
    verdicts: list[float] = []
    begin = time.perf_counter()
    arguments = (begin + SECONDS, pace_s, claims, verdicts)
    threads = [threading.Thread(target=work, args=(queue, person, *arguments)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    per_second = len(verdicts) / (time.perf_counter() - begin)
    claim, verdict = percentiles(claims), percentiles(verdicts)
    print(
        f"    claim median {claim[0]:5.1f} p95 {claim[1]:5.1f} ms   "
        f"verdict median {verdict[0]:5.1f} p95 {verdict[1]:5.1f} ms   "
        f"claim + verdict {per_second:6.1f}/s"
    )
    return claim[1], per_second


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        set_up(Path(name))
        from django.utils import timezone

        from deploy.first_start import first_person
        from deploy.management.commands.seed_load import fill
        from review.models import Item, Queue

        first_person()
        queue = Queue.objects.select_related("site", "taxonomy").get()
        people = operators(queue, max(OPERATORS))
        found: dict[tuple[int, int], float] = {}
        rate = 0.0
        for size in SIZES:
            fill(queue, size - Item.objects.open().count(), timezone.now())
            for count in OPERATORS:
                print(f"  {size:>7} open items, {count} operator{'s' if count > 1 else ''}")
                found[size, count], _paced = measure(queue, people[:count], PACE_S)
            print(f"  {size:>7} open items, {max(OPERATORS)} operators without a pause")
            _queueing, rate = measure(queue, people, 0.0)
        plain = baseline() * 1000
        one = found[SIZES[-1], 1]
        print(f"  one durable insert {plain:.1f} ms; claim p95 of one operator is {one / plain:.1f} times that")
        for count in OPERATORS:
            ratio = found[SIZES[-1], count] / found[SIZES[0], count]
            print(f"  flatness, {count} operator(s): p95 at {SIZES[-1]} / at {SIZES[0]} = {ratio:.2f} (budget < 1.5)")
        print(f"  budgets: claim p95 of 8 operators {found[SIZES[-1], 8]:.1f} ms (< 15), {rate:.0f} verdicts/s (>= 40)")


if __name__ == "__main__":
    main()
