"""Retention: rules that people set with a reason, legal holds, and the walk that removes what may go."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import Lease, User
from inference.models import Site
from review import evidence_store, pressure
from review.models import Event, Evidence, Kept, LegalHold, Rendition, RetentionRule, RetentionRun
from review.retention import Facts, Rules, old_enough
from review.tasks.renditions import make_renditions

# A release that is being frozen and a removal never look at the same picture at the same moment.
LOCK = "evidence-removal"
EVERY = timedelta(hours=1)
PAGE = 200
# Of one tick, shared by all sites; the tick's lease lasts longer.
BUDGET_S = 4.0
RUNS_KEPT = timedelta(days=90)
NAMED = 50
DEFAULTS = {Kept.PASSED: 30, Kept.UNSURE: 180, Kept.OTHER: 90, Kept.EMPTY: 365, Kept.CONFIRMED: 365}
Wanted = Mapping[Kept, tuple[int | None, int | None]]


def change_rules(
    *, site: Site, wanted: Wanted, quota_bytes: int | None, before: str, person: User | None, reason: str, now: datetime
) -> None:
    """Set days and bytes by class, and the site's quota. `before` is the state that the person looked at.

    Raises Invalid without a reason or for less than a day, Conflict `retention_changed` when somebody was faster.
    """
    if person is not None and not reason.strip():
        raise Invalid(_("Say why."), code="reason_required")
    if any(days is not None and days < 1 for days, _bytes in wanted.values()):
        raise Invalid(_("Evidence is kept for a day at least."), code="days")
    with transaction.atomic():
        locked = Site.objects.select_for_update().get(pk=site.pk)
        old = state_of(locked)
        if person is not None and before != old:
            raise Conflict(_("Somebody changed the rules meanwhile. Look again."), code="retention_changed")
        for kept, (days, most_bytes) in wanted.items():
            RetentionRule.objects.update_or_create(
                site=site, kept=kept, defaults={"days": days, "most_bytes": most_bytes}
            )
        Site.objects.filter(pk=site.pk).update(evidence_quota_bytes=quota_bytes)
        # A run that is under way goes by sums of the old rules.
        RetentionRun.objects.filter(site=site, finished_at=None).update(finished_at=now)
        locked.evidence_quota_bytes = quota_bytes
        audit.record(
            "retention.changed",
            actor=person,
            on=site,
            site_id=site.pk,
            reason=reason.strip()[:300],
            before=old,
            after=state_of(locked),
        )
        transaction.on_commit(lambda: pressure.forget_usage(site.pk))


def state_of(site: Site) -> str:
    """The rules in force in one line: what an entry says, and by which a page knows that nobody was faster."""
    rows = RetentionRule.objects.filter(site=site).values_list("kept", "days", "most_bytes")
    return line_of({Kept(kept): (days, most) for kept, days, most in rows}, site.evidence_quota_bytes)


def line_of(wanted: Wanted, quota_bytes: int | None) -> str:
    said = [f"{kept}={days or '-'}/{'-' if most is None else most}" for kept, (days, most) in sorted(wanted.items())]
    return " ".join([*said, f"quota={quota_bytes or '-'}"])


def bound_by_default(*, site: Site, now: datetime) -> None:
    """The rules of a site that somebody sets up on one machine: bounded from the first day, and visible."""
    wanted = {kept: (days, None) for kept, days in DEFAULTS.items()}
    change_rules(
        site=site, wanted=wanted, quota_bytes=20 * 10**9, before="", person=None, reason="first start", now=now
    )


def hold_legally(*, event: Event, person: User, reason: str, now: datetime) -> LegalHold:
    """Keep the evidence of an event until this is lifted. Raises Invalid without a reason, Conflict `legally_held`."""
    if not reason.strip():
        raise Invalid(_("Say why."), code="reason_required")
    try:
        with transaction.atomic():
            made = LegalHold.objects.create(event=event, reason=reason.strip()[:300], set_by=person, set_at=now)
            audit.record("legal_hold.set", actor=person, on=event, site_id=event.site_id, reason=made.reason)
    except IntegrityError:
        raise Conflict(_("A legal hold protects this event already."), code="legally_held") from None
    return made


def lift_legal_hold(*, event: Event, person: User, reason: str, now: datetime) -> None:
    """From now on the rules count again. Raises Invalid without a reason, Conflict `not_held`."""
    if not reason.strip():
        raise Invalid(_("Say why."), code="reason_required")
    with transaction.atomic():
        rows = LegalHold.objects.filter(event=event, lifted_at=None)
        if not rows.update(lifted_by=person, lifted_at=now):
            raise Conflict(_("No legal hold protects this event."), code="not_held")
        audit.record("legal_hold.lifted", actor=person, on=event, site_id=event.site_id, reason=reason.strip()[:300])


def walk_when_due(*, now: datetime, budget_s: float = BUDGET_S) -> int:
    """Pages of the walks that are due, one site after the other, for the tick; how many files were removed."""
    until, removed = monotonic() + budget_s, 0
    runs = deque(due_runs(now))
    while runs:
        run = runs.popleft()
        gone, more = walk(run, now)
        removed += gone
        if monotonic() > until:
            break
        if more:
            runs.append(run)
    return removed


def due_runs(now: datetime) -> Iterator[RetentionRun]:
    """The runs to go on with; of sites that were not looked at for a while, new ones."""
    runs = RetentionRun.objects.filter(site=OuterRef("pk"))
    under_way = Exists(runs.filter(finished_at=None))
    wanted = under_way | ~Exists(runs.filter(started_at__gt=now - EVERY))
    for site in Site.objects.filter(wanted, Exists(RetentionRule.objects.filter(site=OuterRef("pk")))):
        yield RetentionRun.objects.filter(site=site, finished_at=None).first() or begin(site, now)


def begin(site: Site, now: datetime) -> RetentionRun:
    RetentionRun.objects.filter(site=site, finished_at__lt=now - RUNS_KEPT).delete()
    over = {kept: since.isoformat() for kept, since in Rules.of(site).over_since.items()}
    return RetentionRun.objects.create(site=site, started_at=now, over_since=over)


def walk(run: RetentionRun, now: datetime) -> tuple[int, bool]:
    """Look at the next page of what is old enough, and remove what may go; how many files, and whether to go on."""
    run.refresh_from_db()
    after = (run.after_at, run.after_id) if run.after_at and run.after_id else None
    rules = Rules.during(run)
    rows = list(old_enough(run.site_id, rules, now, after=after)[:PAGE])
    facts = Facts.around(rows)
    gone = [row for row in rows if facts.why(row, rules, now) and remove(row.pk, rules, now)]
    size = sum(row.size for row in gone)
    last = rows[-1] if rows else None
    more = len(rows) == PAGE
    with transaction.atomic():
        # A run that a change of the rules ended meanwhile counts what it removed, and stays ended.
        runs = RetentionRun.objects.filter(pk=run.pk)
        place = {"after_at": last.stored_at, "after_id": last.pk} if last else {}
        runs.update(removed=F("removed") + len(gone), removed_bytes=F("removed_bytes") + size, **place)
        more = bool(runs.filter(finished_at=None).update(finished_at=None if more else now)) and more
        if gone:
            audit.record(
                "retention.removed",
                actor=None,
                on=run.site,
                site_id=run.site_id,
                files=len(gone),
                bytes=size,
                sha256=[row.sha256 for row in gone[:NAMED]],
            )
    if gone:
        pressure.forget_usage(run.site_id)
    return len(gone), more


def remove(evidence_id: UUID, rules: Rules, now: datetime) -> bool:
    """Remove the bytes of one evidence, if it still may go; whether it went.

    Asked again with the row locked, because a legal hold, a new event with the same bytes or a release may have come
    since. The files are unlinked under the same lock, so that nobody who brings the bytes again loses them.
    """
    with transaction.atomic():
        Lease.objects.one_at_a_time(LOCK, now=now)
        row = Evidence.objects.select_for_update().filter(pk=evidence_id, removed_at=None).first()
        if row is None or not (why := Facts.around([row]).why(row, rules, now)):
            return False
        copies = list(Rendition.objects.filter(evidence=row))
        Rendition.objects.filter(evidence=row).delete()
        Evidence.objects.filter(pk=row.pk).update(removed_at=now, removed_why=why)
        for name in [row.path, *(copy.path for copy in copies)]:
            evidence_store.remove(name)
    return True


def bring_back(*, evidence: Evidence, data: bytes) -> bool:
    """Keep bytes that came again, if they were removed meanwhile; whether they were. Inside a transaction.

    The lock keeps a removal out until the event that brought them is there.
    """
    row = Evidence.objects.select_for_update().get(pk=evidence.pk)
    if row.removed_at is None:
        return False
    evidence_store.write(row.path, data)
    Evidence.objects.filter(pk=row.pk).update(removed_at=None, removed_why="")
    evidence.removed_at, evidence.removed_why = None, ""
    make_renditions.enqueue(str(row.pk))
    return True
