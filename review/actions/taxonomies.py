"""Classes of a taxonomy: added, renamed, retired; an index is permanent, and a name once used stays with its class."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from review import names
from review.models import PALETTE, FormerName, Taxonomy, TaxonomyClass
from review.schemas import is_printable

LONGEST_NAME = 100
MOST_CLASSES = 2000
KEYS = "123456789"


@contextmanager
def changing(taxonomy: Taxonomy) -> Iterator[Taxonomy]:
    """One change of a taxonomy at a time, in one transaction, under its next version."""
    with transaction.atomic():
        locked = Taxonomy.objects.select_for_update().get(pk=taxonomy.pk)
        yield locked
        Taxonomy.objects.filter(pk=locked.pk).update(version=F("version") + 1)
        names.forget()
        transaction.on_commit(names.forget)


def append_class(*, taxonomy: Taxonomy, name: str, person: User | None) -> TaxonomyClass:
    """A new class at the end of a taxonomy; indexes are permanent, so nothing else moves."""
    return add_classes(taxonomy=taxonomy, wanted=[name], person=person)[0]


def add_classes(*, taxonomy: Taxonomy, wanted: Sequence[str], person: User | None) -> list[TaxonomyClass]:
    """New classes at the end, in this order. Raises Invalid for a bad name and Conflict `class_name_used`."""
    if len(set(wanted)) != len(wanted):
        raise Invalid(_("A class stands there twice."), code="duplicate_class")
    with changing(taxonomy) as locked:
        last = locked.classes.aggregate(last=Max("index"))["last"]
        first = 0 if last is None else last + 1
        if first + len(wanted) > MOST_CLASSES:
            raise Invalid(_("A taxonomy holds at most %(most)d classes.") % {"most": MOST_CLASSES}, code="too_many")
        require_free(locked, wanted)
        rows = [
            TaxonomyClass.objects.create(taxonomy=locked, name=name, index=first + n) for n, name in enumerate(wanted)
        ]
        for row in rows:
            record_change("class.added", locked, person, name=row.name, index=row.index)
    return rows


def require_free(taxonomy: Taxonomy, wanted: Sequence[str], but: TaxonomyClass | None = None) -> None:
    """Refuse names that cannot be shown, or that a class of the taxonomy has or had; `but` may have its own again."""
    require_names(wanted)
    own = but.pk if but else 0
    used = set(taxonomy.classes.filter(name__in=wanted).exclude(pk=own).values_list("name", flat=True))
    used |= set(taxonomy.former_names.filter(name__in=wanted).exclude(named_id=own).values_list("name", flat=True))
    if used:
        said = _("%(name)s names a class of this taxonomy, or did once; names are never given to another class.")
        raise Conflict(said % {"name": min(used)}, code="class_name_used")


def require_names(wanted: Sequence[str]) -> None:
    """Raise Invalid for names that cannot be shown, and for too many of them."""
    if len(wanted) > MOST_CLASSES:
        raise Invalid(_("A taxonomy holds at most %(most)d classes.") % {"most": MOST_CLASSES}, code="too_many")
    for name in wanted:
        shown = name == name.strip() and len(name.splitlines()) == 1 and is_printable(name)
        if not shown or len(name) > LONGEST_NAME:
            raise Invalid(_("A class needs a name of 1 to 100 printable characters."), code="bad_class_name")


def change_class(
    *, taxonomy: Taxonomy, pk: Any, name: str, key: str, colour: int | None, person: User, now: datetime
) -> TaxonomyClass:
    """Name, key and colour of a class. A key that another class has is taken from it, so that digits stay unique.

    The name that it had stays its own. Raises Invalid, and Conflict `class_name_used`.
    """
    if key and key not in KEYS:
        raise Invalid(_("A key is one of the digits 1 to 9."), code="bad_key")
    if colour is not None and not 1 <= colour <= PALETTE:
        raise Invalid(_("A colour is one of the palette."), code="bad_colour")
    with changing(taxonomy) as locked:
        row = class_of(locked, pk)
        was = {"name": row.name, "key": row.key, "colour": row.colour}
        if name != row.name:
            require_free(locked, [name], but=row)
            FormerName.objects.get_or_create(taxonomy=locked, named=row, name=row.name, defaults={"until": now})
        if key:
            locked.classes.filter(key=key).exclude(pk=row.pk).update(key="")
        row.name, row.key, row.colour = name, key, colour
        row.save(update_fields=["name", "key", "colour"])
        becomes = {"name": name, "key": key, "colour": colour}
        record_change("class.changed", locked, person, index=row.index, before=was, after=becomes, name=was["name"])
    return row


def retire_class(*, taxonomy: Taxonomy, pk: Any, person: User, now: datetime) -> TaxonomyClass:
    """From now on nobody answers with it; what was answered stays, and so does its index. Its key becomes free."""
    with changing(taxonomy) as locked:
        row = class_of(locked, pk)
        if not locked.classes.filter(pk=row.pk, retired_at=None).update(retired_at=now, key=""):
            raise Conflict(_("This class is retired already."), code="retired_already")
        record_change("class.retired", locked, person, name=row.name, index=row.index)
    return row


def restore_class(*, taxonomy: Taxonomy, pk: Any, person: User) -> TaxonomyClass:
    """A retired class can be answered with again."""
    with changing(taxonomy) as locked:
        row = class_of(locked, pk)
        if not locked.classes.filter(pk=row.pk, retired_at__isnull=False).update(retired_at=None):
            raise Conflict(_("This class is not retired."), code="not_retired")
        record_change("class.restored", locked, person, name=row.name, index=row.index)
    return row


def class_of(taxonomy: Taxonomy, pk: Any) -> TaxonomyClass:
    row = taxonomy.classes.filter(pk=pk).first()
    if row is None:
        raise Invalid(_("This is no class of the taxonomy."), code="unknown_class")
    return row


def record_change(verb: str, taxonomy: Taxonomy, person: User | None, **facts: Any) -> None:
    # The version that this change makes; it is written when the change ends.
    version = taxonomy.version + 1
    audit.record(verb, actor=person, on=taxonomy, site_id=taxonomy.site_id, version=version, **facts)


def lines_of(text: str) -> list[str]:
    """Class names typed or pasted, one to a line: trimmed, without empty lines, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
