"""Releases: freezing a selection, taking a failed or abandoned build up again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import Lease, User
from inference.models import Site
from review import broadcast
from review.actions.retention import LOCK
from review.models import EventEvidence, Evidence, Queue, Release, ReleaseRow, ReleaseState, SplitPin, Taxonomy
from review.releases.contents import SPLITS, Picture, picture_path
from review.releases.formats import FORMATS
from review.releases.recipe import SHARES, Recipe, classes_of
from review.releases.selection import BATCH, Candidate, Chosen, Report, candidates, choose, named_report
from review.releases.splits import Assignment, Pin, Sighting, assign

# A build that nobody has moved on for this long has lost its worker.
ABANDONED_AFTER = timedelta(seconds=60)
# How often the number of a release is taken anew when somebody else was faster.
TRIES = 5
NAME_LETTERS = 120
# Pictures are called by so many digits of their digest, and by all 64 where two would be called the same.
SHORT_NAME = 16


def make_release(
    *,
    person: User | None,
    site: Site,
    queues: Sequence[Queue],
    now: datetime,
    name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    formats: Sequence[str] = tuple(FORMATS),
    seed: str | None = None,
    enqueue: bool = True,
) -> Release:
    """Freeze what was decided in `queues` from `since` to `until` (both included), and have it built.

    The caller has checked that `person` may. Reading comes first; then one transaction writes splits, rows, the release
    and its audit entry, and on commit the build is enqueued (unless the caller builds it himself).
    Raises Invalid `no_queues`, `mixed_sites`, `mixed_taxonomies`, `bad_dates`, `unknown_format`, `name_too_long` or
    `nothing_to_release` (with `excluded`: how many outcomes were left out for which reason), and Conflict
    `number_taken` when numbers are taken faster than this can write.
    """
    recipe = recipe_of(site, queues, since, until or now, formats, seed)
    name = name.strip()
    if len(name) > NAME_LETTERS:
        raise Invalid(_("The name is too long."), code="name_too_long")
    pictures, report = choose(recipe, now=now)
    with transaction.atomic():
        # Retention removes nothing while rows are frozen, and what it has removed since the reading is left out.
        Lease.objects.one_at_a_time(LOCK, now=now)
        leave_out_removed(site, pictures, report)
        placed = place(pictures, recipe, report)
        if not placed.pins:
            raise Invalid(
                _("No final outcome of these queues and dates can be released."),
                code="nothing_to_release",
                excluded=dict(sorted(report.excluded.items())),
            )
        release = create(person, site, recipe, name, len(placed.pins), now)
        summary = write_rows(release, pictures, placed, recipe, report, now)
        Release.objects.filter(pk=release.pk).update(summary=summary)
        release.summary = summary
        audit.record(
            "release.frozen",
            actor=person,
            on=release,
            site_id=site.pk,
            action=audit.Action.CREATE,
            pictures=release.total,
            recipe={key: value for key, value in release.recipe.items() if key != "taxonomy"},
            excluded=summary["excluded"],
        )
        broadcast.release_changed(release.pk)
        if enqueue:
            enqueue_build(release.pk)
    return release


def leave_out_removed(site: Site, pictures: dict[str, Chosen], report: Report) -> None:
    """Drop pictures whose bytes were removed after they were chosen."""
    for digests in batched(list(pictures), BATCH):
        rows = Evidence.objects.filter(site=site, sha256__in=digests, removed_at__isnull=False)
        for digest in rows.values_list("sha256", flat=True):
            report.leave_out_picture("evidence_removed", digest, pictures.pop(digest).events)


def enqueue_build(release_id: UUID) -> None:
    """Have a release built in the background once the current transaction is committed."""
    from review.tasks.releases import build_release

    transaction.on_commit(lambda: build_release.enqueue(str(release_id)))


def recipe_of(
    site: Site,
    queues: Sequence[Queue],
    since: datetime | None,
    until: datetime,
    formats: Sequence[str],
    seed: str | None,
) -> Recipe:
    """The recipe for these choices. Raises Invalid when they do not go together."""
    if not queues:
        raise Invalid(_("Choose at least one queue."), code="no_queues")
    if any(queue.site_id != site.pk for queue in queues):
        raise Invalid(_("All queues of a release belong to one site."), code="mixed_sites")
    if len({queue.taxonomy_id for queue in queues}) > 1:
        raise Invalid(_("All queues of a release share one taxonomy."), code="mixed_taxonomies")
    if since and since > until:
        raise Invalid(_("The first date lies after the last one."), code="bad_dates")
    if not formats or set(formats) - set(FORMATS):
        raise Invalid(
            _("Choose among these formats: %(known)s.") % {"known": ", ".join(FORMATS)}, code="unknown_format"
        )
    taxonomy = queues[0].taxonomy
    chosen = tuple(name for name in FORMATS if name in formats)
    unique = tuple({queue.pk: queue for queue in queues}.values())
    return Recipe(unique, taxonomy, classes_of(taxonomy), since, until, chosen, seed or str(taxonomy.pk))


def place(pictures: dict[str, Chosen], recipe: Recipe, report: Report) -> Assignment:
    """Give every picture its split, for good, and take those that would bridge two splits out of `pictures`.

    The taxonomy's row is locked until the end of the transaction: two releases at once would otherwise pin
    near-duplicates to different splits.
    """
    Taxonomy.objects.select_for_update().get(pk=recipe.taxonomy.pk)
    pinned = {
        sha256: Pin(split, group)
        for sha256, split, group in SplitPin.objects.filter(taxonomy=recipe.taxonomy).values_list(
            "sha256", "split", "group"
        )
    }
    sightings = {digest: chosen.sightings for digest, chosen in pictures.items()}
    placed = assign(
        sightings, pinned, pinned_sightings(recipe), seed=recipe.seed, gap_s=recipe.burst_gap_s, shares=SHARES
    )
    for digest in placed.bridges:
        report.leave_out_picture("bridge", digest, pictures.pop(digest).events)
    SplitPin.objects.bulk_create(
        (
            SplitPin(taxonomy=recipe.taxonomy, sha256=digest, split=pin.split, group=pin.group)
            for digest, pin in placed.pins.items()
            if digest not in pinned
        ),
        batch_size=BATCH,
    )
    return placed


def pinned_sightings(recipe: Recipe) -> Iterator[tuple[str, Sighting]]:
    """When and by which camera the pictures that have their split already were seen, in any event of the site."""
    pins = SplitPin.objects.filter(taxonomy=recipe.taxonomy)
    rows = EventEvidence.objects.filter(
        role="frame", event__site=recipe.taxonomy.site_id, sha256__in=pins.values("sha256")
    )
    columns = rows.values_list("sha256", "event__camera_id", "event__source_id", "event__captured_at").order_by()
    for sha256, camera, source, captured_at in columns.iterator(BATCH):
        yield sha256, Sighting(str(camera or source), captured_at.timestamp())


def create(person: User | None, site: Site, recipe: Recipe, name: str, total: int, now: datetime) -> Release:
    """The release's row under the site's next number; taken anew when somebody else was faster."""
    for _try in range(TRIES):
        last = Release.objects.filter(site=site).aggregate(last=Max("number"))["last"] or 0
        try:
            with transaction.atomic():
                return Release.objects.create(
                    site=site,
                    taxonomy=recipe.taxonomy,
                    number=last + 1,
                    name=name,
                    recipe=recipe.as_json(),
                    total=total,
                    created_by=person,
                    created_at=now,
                    touched_at=now,
                )
        except IntegrityError:
            continue
    raise Conflict(_("Other releases were made at the same moment; try again."), code="number_taken")


def write_rows(
    release: Release, pictures: dict[str, Chosen], placed: Assignment, recipe: Recipe, report: Report, now: datetime
) -> dict[str, Any]:
    """Freeze one row per picture, ordered by split and time; returns the release's summary."""
    ordered = sorted(
        placed.pins, key=lambda digest: (SPLITS.index(placed.pins[digest].split), _first_seen(pictures[digest]), digest)
    )
    names = file_names(ordered)
    tally = Tally(recipe.formats)
    speaking = candidates((pictures[digest].items[0] for digest in ordered), recipe, now=now)
    for batch in batched(enumerate(speaking), BATCH):
        rows = []
        for position, candidate in batch:
            digest = candidate.evidence.sha256
            pin = placed.pins[digest]
            picture = picture_of(position, candidate, pin, names[digest])
            tally.add(picture, pin, candidate.judged.clipped)
            rows.append(row_of(release, picture, candidate, pin, pictures[digest].items[1:]))
        ReleaseRow.objects.bulk_create(rows)
    if tally.pictures != release.total:
        raise Conflict(_("Evidence or answers changed while the selection was frozen; try again."), code="changed")
    return named_report(report) | tally.as_json(recipe)


def _first_seen(chosen: Chosen) -> float:
    return min(seen.at_s for seen in chosen.sightings)


def file_names(digests: Iterable[str]) -> dict[str, str]:
    """A short file name for every digest; the whole digest where short ones would be equal."""
    short = {digest: digest[:SHORT_NAME] for digest in digests}
    uses = Counter(short.values())
    return {digest: name if uses[name] == 1 else digest for digest, name in short.items()}


def picture_of(position: int, candidate: Candidate, pin: Pin, name: str) -> Picture:
    """What the files must say about a candidate's picture."""
    judged, evidence = candidate.judged, candidate.evidence
    return Picture(
        position,
        pin.split,
        picture_path(pin.split, name, complete=judged.complete),
        evidence.width,
        evidence.height,
        candidate.item.outcome,
        judged.complete,
        judged.labels,
        judged.ignore,
    )


def row_of(release: Release, picture: Picture, candidate: Candidate, pin: Pin, others: Sequence[UUID]) -> ReleaseRow:
    """A frozen row; `others` are the items whose outcomes on the same bytes agreed."""
    return ReleaseRow(
        release=release,
        position=picture.position,
        item=candidate.item,
        event=candidate.event,
        verdict=candidate.verdict,
        evidence=candidate.evidence,
        group=pin.group,
        split=pin.split,
        content=picture.as_json() | {"also": [str(item) for item in others]},
    )


class Tally:
    """Counts over the frozen rows, for the summary."""

    def __init__(self, formats: Sequence[str]) -> None:
        self.pictures = self.partial = self.negatives = self.clipped = self.ignore = 0
        self.formats = dict.fromkeys(formats, 0)
        self.outcomes: Counter[str] = Counter()
        self.splits: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.classes: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.groups: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, picture: Picture, pin: Pin, clipped: int) -> None:
        self.pictures += 1
        self.partial += not picture.complete
        self.negatives += picture.complete and not picture.labels
        self.clipped += clipped
        self.ignore += len(picture.ignore)
        self.outcomes[picture.outcome] += 1
        self.splits[pin.split].update(pictures=1, labels=len(picture.labels))
        self.groups[pin.split].add(pin.group)
        for label in picture.labels:
            self.classes[label.class_index][pin.split] += 1
        for name in self.formats:
            self.formats[name] += FORMATS[name].takes(picture)

    def as_json(self, recipe: Recipe) -> dict[str, Any]:
        """The summary: figures per outcome, split and class (by name), and the codes of what is to be warned about."""
        names = {row.index: row.name for row in recipe.classes}
        splits = {
            split: {
                "pictures": self.splits[split]["pictures"],
                "labels": self.splits[split]["labels"],
                "groups": len(self.groups[split]),
            }
            for split in SPLITS
        }
        return {
            "pictures": self.pictures,
            "labels": sum(one["labels"] for one in splits.values()),
            "negatives": self.negatives,
            "partial": self.partial,
            "ignore_regions": self.ignore,
            "clipped": self.clipped,
            "outcomes": dict(sorted(self.outcomes.items())),
            "splits": splits,
            "classes": {names[index]: dict(self.classes[index]) for index in sorted(self.classes)},
            "formats": self.formats,
            "warnings": self.warnings(splits),
        }

    def warnings(self, splits: dict[str, dict[str, int]]) -> list[str]:
        """Codes of `words.WARNINGS`."""
        said = []
        if sum(one["groups"] for one in splits.values()) == 1:
            said.append("single_group")
        said += [f"no_{split}" for split in SPLITS if not splits[split]["pictures"]]
        if self.partial:
            said.append("partial")
        if self.clipped:
            said.append("clipped")
        return said


def rebuild_release(*, release: Release, person: User | None, now: datetime) -> None:
    """Have a failed release built again from the same frozen rows. Raises Conflict `not_failed`."""
    with transaction.atomic():
        changed = Release.objects.filter(pk=release.pk, state=ReleaseState.FAILED).update(
            state=ReleaseState.FROZEN, failure="", done=0, touched_at=now
        )
        if not changed:
            raise Conflict(_("Only a failed release can be built again."), code="not_failed")
        audit.record("release.rebuilt", actor=person, on=release, site_id=release.site_id)
        broadcast.release_changed(release.pk)
        enqueue_build(release.pk)


def resume_stuck(*, now: datetime) -> list[UUID]:
    """Have every build taken up again that nobody has moved on for a minute; returns which.

    The build goes back to `frozen`; whatever its old worker still tries is refused, because `touched_at` has moved on.
    """
    waiting = [ReleaseState.FROZEN, ReleaseState.BUILDING, ReleaseState.VERIFYING]
    stuck = Release.objects.filter(state__in=waiting, touched_at__lt=now - ABANDONED_AFTER).order_by("created_at")
    resumed = []
    for pk, touched_at in stuck.values_list("pk", "touched_at"):
        with transaction.atomic():
            changed = Release.objects.filter(pk=pk, state__in=waiting, touched_at=touched_at).update(
                state=ReleaseState.FROZEN, touched_at=now
            )
            if changed:
                broadcast.release_changed(pk)
                enqueue_build(pk)
                resumed.append(pk)
    return resumed
