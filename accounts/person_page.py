"""The rows of a person's page: roles in force and over, last acts, browsers and tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.access import audit_entries_for, grants_for
from accounts.explain import known_grants
from accounts.forms import RoleForm, initial_of
from accounts.models import AuditEntry, Grant, PersonalToken, Session, User
from accounts.models.grant import GrantQuerySet
from accounts.scopes import Named, names_of
from accounts.sentences import sentence

ACTS = 15
ENDED = 20


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant with its scope by name; `form` changes it, where the viewer may."""

    grant: Grant
    scope: Named
    form: RoleForm | None = None


def grant_rows(viewer: User, person: User, form: Callable[..., RoleForm]) -> list[GrantRow]:
    """The grants in force, each with a form where the viewer may change it: never his own."""
    rows = known_grants(viewer, person).live(timezone.now()).select_related("granted_by").order_by("created_at")
    given = grants_for(viewer).values_list("pk", flat=True)
    mine = set() if viewer.pk == person.pk else set(given.filter(person=person))
    return [
        GrantRow(row.grant, row.scope, form_for(row.grant, form) if row.grant.pk in mine else None)
        for row in named_rows(list(rows))
    ]


def form_for(grant: Grant, form: Callable[..., RoleForm]) -> RoleForm:
    return form(initial=initial_of(grant), auto_id=f"id_{grant.pk}_%s")


def ended_rows(known: GrantQuerySet, now: datetime) -> list[GrantRow]:
    """The last grants that are over, the latest first."""
    rows = known.filter(Q(revoked_at__isnull=False) | Q(ends_at__lte=now)).select_related("revoked_by")
    return named_rows(list(rows.order_by("-created_at")[:ENDED]))


def named_rows(grants: list[Grant]) -> list[GrantRow]:
    names = names_of({grant.scope_key for grant in grants})
    return [GrantRow(grant, names[grant.scope_key]) for grant in grants]


def acts_of(viewer: User, person: User) -> list[dict[str, Any]]:
    """What the person did last, as far as the viewer may read the audit trail."""
    rows: Any = audit_entries_for(viewer).filter(actor=person).select_related("actor").order_by("-id")[:ACTS]
    found: list[AuditEntry] = list(rows)
    return [{"at": entry.timestamp, "sentence": sentence(entry)} for entry in found]


def keys_of(person: User, now: datetime) -> dict[str, Any]:
    """How the person comes in: how many browsers, and which tokens. Nothing of it is a secret."""
    tokens = PersonalToken.objects.live(now).filter(person=person).order_by("-created_at")
    return {"sessions": Session.objects.open(now).filter(person=person).count(), "tokens": list(tokens)}
