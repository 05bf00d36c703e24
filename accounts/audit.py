"""The audit trail's one entrance. Every action calls `record` inside its own transaction."""

from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models

from accounts.context import CURRENT
from accounts.models import AuditEntry, User

Action = AuditEntry.Action


def record(
    verb: str,
    *,
    actor: User | None,
    on: models.Model,
    site_id: UUID | None = None,
    queue_id: UUID | None = None,
    action: int = Action.UPDATE,
    **facts: Any,
) -> AuditEntry:
    """Write one audit entry about `on`, in the transaction of the caller.

    `facts` are JSON-able values: what was said, before and after. No token, password or picture bytes belong there.
    Raises RuntimeError outside a transaction: an entry must stand or fall with what it tells of.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"audit.record({verb!r}) needs the transaction of the action that it tells of")
    context = CURRENT.get()
    entry: AuditEntry = AuditEntry.objects.create(
        verb=verb,
        actor=actor,
        content_type=ContentType.objects.get_for_model(on),
        object_pk=str(on.pk),
        object_repr=str(on)[:200],
        action=action,
        site_id=site_id,
        queue_id=queue_id,
        changes=None,
        additional_data=facts or None,
        remote_addr=context.remote_addr,
        cid=context.request_id or None,
    )
    return entry
