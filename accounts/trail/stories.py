"""The story of one thing or one person: its entries, and what the apps above know besides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from accounts.access import audit_branches, reach
from accounts.exceptions import NotFound
from accounts.models import AuditEntry, User
from accounts.roles import Right
from accounts.trail.paging import Page, page_of


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened and has no entry of its own, such as an event that came in."""

    at: datetime
    text: str
    detail: str = ""
    icon: str = "dot"


@dataclass(frozen=True, slots=True)
class Telling:
    """What an app tells of a subject to a reader. `audited`: he reads the trail of its site, so refusals too."""

    title: str
    url: str = ""
    steps: list[Step] = field(default_factory=list)
    audited: bool = False


# Each returns None for what is not its own, or not the reader's to see.
TELLERS: list[Callable[[User, UUID], Telling | None]] = []


@dataclass(frozen=True)
class Story:
    """A page of the story of `subject`; of a person when `person` is set."""

    subject: UUID
    telling: Telling
    person: User | None
    page: Page


def story_of(reader: User, subject: UUID, *, before: int | None, after: int | None) -> Story:
    """The story as far as `reader` may know it. Raises NotFound when that is nothing."""
    person = User.objects.filter(public_id=subject).first()
    told = telling(reader, subject)
    page = page_of(streams(reader, subject, person, told), before=before, after=after)
    if not page.entries and before is None and after is None and told is None:
        raise NotFound
    return Story(subject, told or Telling(title_of(page, person, subject)), person, page)


def telling(reader: User, subject: UUID) -> Telling | None:
    return next((told for tell in TELLERS if (told := tell(reader, subject)) is not None), None)


def streams(reader: User, subject: UUID, person: User | None, told: Telling | None) -> list[Q]:
    """What the reader may see about the subject; of a person also what he did himself."""
    # Whoever was refused has an entry about what he asked for, which must not make a story of it for him.
    about = [Q(subject_id=subject) & ~Q(verb="attempt.refused")] + ([Q(actor_id=person.pk)] if person else [])
    found = [branch & one for branch in audit_branches(reader) for one in about]
    audited = (told is not None and told.audited) or reach(reader, Right.AUDIT_SITE).everywhere
    return found + ([refusals_about(subject)] if audited else [])


def refusals_about(subject: UUID) -> Q:
    """Refused attempts are filed under the site of who was refused; the object's own auditor finds them here."""
    return Q(verb="attempt.refused", subject_id=subject)


def title_of(page: Page, person: User | None, subject: UUID) -> str:
    """The name of the subject as its newest entry has it."""
    if person is not None:
        return str(person)
    named = (entry.object_repr for entry in page.entries if entry.object_repr)
    return next(named, str(subject))


def entry_for(reader: User, pk: int) -> AuditEntry:
    """An entry that `reader` may see. Raises NotFound."""
    found: AuditEntry | None = AuditEntry.objects.select_related("actor", "content_type").filter(pk=pk).first()
    if found is None or not visible(reader, found):
        raise NotFound
    return found


def visible(reader: User, entry: AuditEntry) -> bool:
    if any(AuditEntry.objects.filter(branch, pk=entry.pk).exists() for branch in audit_branches(reader)):
        return True
    refusal = entry.verb == "attempt.refused" and entry.subject_id is not None
    told = telling(reader, entry.subject_id) if refusal and entry.subject_id else None
    return told is not None and told.audited
