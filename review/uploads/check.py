"""Looking at everything that came before any event is made: archives entry by entry, then class names and predictions.

All of it may be done again from the start, because a worker may die in the midst of it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import batched

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.ids import new_id
from review.models import FileState, UploadFile, UploadJob, UploadRole
from review.uploads import staging
from review.uploads.archive import ArchiveRefused, Member, members, open_archive
from review.uploads.contents import Contents, bounds
from review.uploads.names import place_of, shown, stem_of
from review.uploads.predictions import Expected, Faulty, Listing, Prediction, Said, told
from review.uploads.predictions.classes import read_classes
from review.uploads.predictions.coco import Coco, is_results, listing_of, merged, parsed
from review.uploads.predictions.formats import format_of

BATCH = 100
# Reasons that reading predictions gives, and takes back when it begins anew.
OURS = ("faulty", "no_picture", "ambiguous", "no_model", "no_classes", "listed_only")
Beat = Callable[[], None]


def check(job: UploadJob, beat: Beat) -> None:
    """Fill in rows for what is in archives, and what is predicted on which picture. Raises ArchiveRefused."""
    for archive in job.files.filter(role=UploadRole.ARCHIVE, state=FileState.WAITING).order_by("id"):
        look_into(job, archive, beat)
    job.files.filter(role=UploadRole.PICTURE, state=FileState.WAITING).update(predictions=None, reason="", detail="")
    label_files(job).update(state=FileState.WAITING, reason="", detail="")
    if not job.has_model:
        label_files(job).update(state=FileState.LEFT_OUT, reason="no_model")
        return
    with Contents(job) as contents:
        expected = read_expected(job, contents, beat)
        read_predictions(job, contents, expected, beat)


def label_files(job: UploadJob) -> QuerySet[UploadFile]:
    """Files of class names and predictions that can be read: not those that an archive or their size kept out."""
    rows = job.files.filter(role__in=[UploadRole.CLASSES, UploadRole.PREDICTIONS])
    return rows.exclude(state=FileState.LEFT_OUT) | rows.filter(reason__in=OURS)


# Archives


def look_into(job: UploadJob, archive: UploadFile, beat: Beat) -> None:
    """Rows for every file of an archive. What a dead worker has begun is begun anew."""
    archive.members.all().delete()
    there = job.files.exclude(pk=archive.pk).aggregate(files=Count("pk"), size=Sum("size", default=0))
    whole = bounds()
    left = replace(whole, entries=whole.entries - there["files"], total=whole.total - there["size"])
    try:
        with staging.open_staged(archive.path) as file, open_archive(file, left) as opened:
            for batch in batched(heard(members(opened, left, archive.size), beat), BATCH):
                UploadFile.objects.bulk_create(member_row(job, archive, member) for member in batch)
    except ArchiveRefused as error:
        archive.members.all().delete()
        archive.state, archive.reason = FileState.LEFT_OUT, error.code
        archive.save(update_fields=["state", "reason"])
        raise
    archive.state = FileState.TAKEN
    archive.save(update_fields=["state"])


def heard(found: Iterator[Member], beat: Beat) -> Iterator[Member]:
    """The same, with a beat after each: a hundred large entries take longer than a worker may be silent."""
    for member in found:
        yield member
        beat()


def member_row(job: UploadJob, archive: UploadFile, member: Member) -> UploadFile:
    name = shown(member.name)
    return UploadFile(
        id=new_id(),
        job=job,
        archive=archive,
        member=member.number,
        name=name,
        stem=stem_of(name),
        role=member.role,
        sha256=member.sha256,
        size=member.size,
        written_at=written_at(job, member),
        received_at=archive.received_at,
        state=FileState.LEFT_OUT if member.reason else FileState.WAITING,
        reason=member.reason,
    )


def written_at(job: UploadJob, member: Member) -> datetime | None:
    """Archives keep local time without a zone; the site's is the best guess."""
    return member.written_at and member.written_at.replace(tzinfo=job.site.zone)


# Class names and listings


def read_expected(job: UploadJob, contents: Contents, beat: Beat) -> Expected:
    """What is needed to read predictions: pasted names before those of files, and pictures by their numbers."""
    found = [tuple(job.classes)] if job.classes else []
    for row in label_files(job).filter(role=UploadRole.CLASSES).order_by("id"):
        try:
            found.append(tuple(read_classes(row.name, contents.read(row))))
        except Faulty as error:
            settle(row, "faulty", told([error]))
        else:
            different = bool(found) and found[0] != found[-1] and not job.classes
            settle(row, "ambiguous" if different else "", "")
        beat()
    # Two files that disagree: which one is meant is not for us to guess.
    classes = found[0] if found and (job.classes or len(set(found)) == 1) else ()
    listing, has_results = read_listings(job, contents, beat)
    return Expected(job.task, classes, job.confidence, listing, has_results)


def read_listings(job: UploadJob, contents: Contents, beat: Beat) -> tuple[Listing, bool]:
    """What all COCO files list together, and whether there are results that need it."""
    listing, has_results = Listing(), False
    for row in json_files(job):
        try:
            value = parsed(contents.read(row))
            if is_results(value):
                has_results = True
            else:
                listing = merged(listing, listing_of(value))
        except Faulty as error:
            settle(row, "faulty", told([error]))
        beat()
    return listing, has_results


def json_files(job: UploadJob) -> list[UploadFile]:
    rows = label_files(job).filter(role=UploadRole.PREDICTIONS, state=FileState.WAITING)
    return [row for row in rows.order_by("id").iterator() if Coco().fits(row.name)]


# Predictions


def read_predictions(job: UploadJob, contents: Contents, expected: Expected, beat: Beat) -> None:
    """Read every file of predictions, and note on each picture what is said about it."""
    rows = label_files(job).filter(role=UploadRole.PREDICTIONS, state=FileState.WAITING).order_by("id")
    said = ((row, one) for row in rows.iterator(BATCH) for one in sayings(row, contents, expected))
    tallies: dict[UploadFile, Tally] = defaultdict(Tally)
    for batch in batched(said, BATCH):
        match(job, batch, tallies)
        beat()
        # All but the file that may go on in the next batch are done with.
        for row in [row for row in tallies if row != batch[-1][0]]:
            tallies.pop(row).settle(row)
    for row, tally in tallies.items():
        tally.settle(row)


def sayings(row: UploadFile, contents: Contents, expected: Expected) -> Iterator[Said]:
    """What one file says; its fault is noted when nothing of it can be used."""
    reader = format_of(row.name)
    try:
        if reader is None:
            raise Faulty(_("file"), _("no format of this kind is read"))
        data = contents.read(row)
        if expected.has_results and isinstance(reader, Coco) and not is_results(parsed(data)):
            settle(row, "listed_only", "")
            return
        yield from list(reader.read(row.name, data, expected))
    except Faulty as error:
        settle(row, "faulty", told([error]))


class Tally:
    """What became of one file's sayings."""

    def __init__(self) -> None:
        self.used = 0
        self.faults: list[Faulty] = []
        self.lost: list[str] = []
        self.ambiguous: list[str] = []

    def settle(self, row: UploadFile) -> None:
        """Note it on the row. A file of which something was used is taken, with what is to be said about the rest."""
        parts = [told(self.faults)] if self.faults else []
        parts += [", ".join(names[:5]) + (f", … ({len(names)})" if len(names) > 5 else "") for names in self.odd()]
        reason = "faulty" if self.faults else "no_picture" if self.lost else "ambiguous" if self.ambiguous else ""
        row.state = FileState.TAKEN if self.used or not reason else FileState.LEFT_OUT
        row.reason, row.detail = reason, "; ".join(parts)[:600]
        row.save(update_fields=["state", "reason", "detail"])

    def odd(self) -> list[list[str]]:
        return [names for names in (self.lost, self.ambiguous) if names]


def match(job: UploadJob, batch: Iterable[tuple[UploadFile, Said]], tallies: dict[UploadFile, Tally]) -> None:
    """Note what is said on the pictures that are meant, found by name for the whole batch at once."""
    pairs = [(row, one, shown(one.picture)) for row, one in batch]
    pictures: dict[str, list[UploadFile]] = defaultdict(list)
    stems = {stem_of(name) for *_said, name in pairs}
    for picture in job.files.filter(role=UploadRole.PICTURE, stem__in=stems).exclude(sha256="").order_by("id"):
        pictures[picture.stem].append(picture)
    changed: dict[UploadFile, None] = {}
    for row, one, name in pairs:
        tally = tallies[row]
        tally.faults += one.faults
        candidates = pictures[stem_of(name)]
        meant = candidates if len(candidates) == 1 else [p for p in candidates if place_of(p.name) == place_of(name)]
        if not candidates:
            tally.lost.append(name)
        elif len(meant) != 1:
            tally.ambiguous.append(name)
        else:
            tally.used += not one.faults
            note(meant[0], one, name)
            changed[meant[0]] = None
    UploadFile.objects.bulk_update(changed, ["predictions"])


def note(picture: UploadFile, said: Said, name: str) -> None:
    """Keep what is said about a picture. A second file that speaks of it is not believed over the first."""
    faults = f"{name}: {told(said.faults)}"[:600] if said.faults else ""
    if picture.predictions is not None:
        faults = _("%s speaks of it as well") % name
    picture.predictions = {
        "list": [] if faults else [Prediction.as_json(one) for one in said.predictions],
        "size": said.size and list(said.size),
        "faults": faults,
    }


def settle(row: UploadFile, reason: str, detail: str) -> None:
    """A file of class names or predictions is done with: used, or left out for a reason."""
    row.state = FileState.LEFT_OUT if reason else FileState.TAKEN
    row.reason, row.detail = reason, detail[:600]
    row.save(update_fields=["state", "reason", "detail"])
