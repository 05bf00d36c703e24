"""Keyset pages: newest first, constant cost at any depth."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from review.models import Event
from review.schemas import carried


def page_of(rows: QuerySet[Event], cursor: str, *, size: int) -> tuple[list[Event], str | None]:
    """`size` events after `cursor`, and the cursor of what follows (None at the end). Raises Invalid `bad_cursor`."""
    rows = rows.order_by("-received_at", "-id")
    if cursor:
        received_at, pk = decode(cursor)
        rows = rows.filter(Q(received_at__lt=received_at) | Q(received_at=received_at, id__lt=pk))
    found = list(rows[: size + 1])
    if len(found) <= size:
        return found, None
    return found[:size], encode(found[size - 1])


def encode(event: Event) -> str:
    return base64.urlsafe_b64encode(f"{event.received_at.isoformat()}|{event.pk}".encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        received_at, pk = text.split("|")
        moment = datetime.fromisoformat(received_at)
        if moment.tzinfo is None:
            raise ValueError
        return carried(moment), UUID(pk)
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise Invalid(_("This cursor was not made here."), code="bad_cursor") from None
