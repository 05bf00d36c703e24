"""The audit trail's one entrance. Every action calls `record` inside its own transaction."""

from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models

from accounts.access import held_in_request
from accounts.context import CURRENT, recall
from accounts.models import AuditEntry, User
from accounts.models.grant import Scope

Action = AuditEntry.Action
CALLER = "caller"


def record(
    verb: str,
    *,
    actor: User | None,
    on: models.Model | None = None,
    site_id: UUID | None = None,
    queue_id: UUID | None = None,
    action: int = Action.UPDATE,
    subject: UUID | None = None,
    **facts: Any,
) -> AuditEntry:
    """Write one audit entry about `on` (None: about the product itself), in the transaction of the caller.

    `facts` are JSON-able values: what was said, before and after. No token, password or picture bytes belong there.
    Whose story it belongs to is `subject`, or what `on` says of itself (`audit_subject`), or the id of `on`.
    Raises RuntimeError outside a transaction: an entry must stand or fall with what it tells of.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"audit.record({verb!r}) needs the transaction of the action that it tells of")
    context = CURRENT.get()
    entry: AuditEntry = AuditEntry.objects.create(
        verb=verb,
        actor=actor,
        content_type=ContentType.objects.get_for_model(on or AuditEntry),
        object_pk=str(on.pk) if on else "",
        object_repr=str(on)[:200] if on else "",
        action=action,
        site_id=site_id,
        queue_id=queue_id,
        subject_id=subject or subject_of(on),
        circumstances=circumstances(actor, site_id, queue_id),
        changes=None,
        additional_data=facts or None,
        remote_addr=context.remote_addr,
        cid=context.request_id or None,
    )
    return entry


def subject_of(on: models.Model | None) -> UUID | None:
    """Whose story an entry about `on` belongs to; None when that has no id of its own for addresses."""
    said = getattr(on, "audit_subject", None) or (on.pk if on else None)
    return said if isinstance(said, UUID) else None


def circumstances(actor: User | None, site_id: UUID | None, queue_id: UUID | None) -> dict[str, Any]:
    """How the actor came in: names and roles as they are now, the door, the session or token and its strength."""
    found: dict[str, Any] = {"door": CURRENT.get().door}
    if actor is None:
        return found | ({"source": source} if (source := recall("source")) else {})
    found |= {"name": actor.name, "username": actor.username, "roles": roles_on(actor, site_id, queue_id)}
    caller = recall(CALLER)
    return found | (caller(actor) if caller else {})


def roles_on(actor: User, site_id: UUID | None, queue_id: UUID | None) -> list[str]:
    """The roles that count on this scope, each with the kind of scope that it was given on: `operator:queue`."""
    here = {site_id, queue_id} - {None}
    rows = held_in_request(actor)
    return sorted(
        {
            f"{held.role}:{held.scope_type}"
            for held in rows
            if held.scope_type == Scope.EVERYWHERE or held.scope_id in here
        }
    )
