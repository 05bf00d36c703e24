"""The kinds of rows that the log seals. The apps above this one register theirs when they are ready."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import models


@dataclass(frozen=True)
class Parts:
    """Rows that belong to a sealed one and are written with it: listed in its leaf by `order`."""

    name: str
    model: str
    parent: str
    order: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A table whose rows are leaves.

    `layouts` names the columns in the leaf by the layout's number. A released layout never changes: a new column makes
    a new layout, and rows that are sealed by then keep theirs. `told_at` is the column with the row's own time.
    """

    name: str
    model: str
    told_at: str
    layouts: Mapping[int, tuple[str, ...]]
    parts: Parts | None = None

    @property
    def layout(self) -> int:
        return max(self.layouts)

    @cached_property
    def table(self) -> type[models.Model]:
        return apps.get_model(self.model)

    @cached_property
    def counts(self) -> bool:
        """Whether keys are numbers of a sequence, which grow from row to row."""
        return not isinstance(self.table._meta.pk, models.UUIDField)

    def key(self, row: str) -> Any:
        """The key as the database takes it. Raises ValueError when it cannot be one."""
        return int(row) if self.counts else row


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Seal the rows of one more table. Its trigger is made after the next `migrate`."""
    KINDS[kind.name] = kind


AUDIT_ENTRY = Kind(
    name="audit_entry",
    model="accounts.AuditEntry",
    told_at="timestamp",
    layouts={
        1: (
            "id",
            "verb",
            "timestamp",
            "actor_id",
            "actor_email",
            "action",
            "content_type_id",
            "object_pk",
            "object_id",
            "object_repr",
            "site_id",
            "queue_id",
            "subject_id",
            "circumstances",
            "additional_data",
            "changes",
            "changes_text",
            "serialized_data",
            "remote_addr",
            "remote_port",
            "cid",
        )
    },
)
register(AUDIT_ENTRY)
