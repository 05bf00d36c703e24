"""Opaque identifiers of our own rows."""

import uuid

import uuid6


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by time, so that inserts stay at the end of the index."""
    return uuid.UUID(int=uuid6.uuid7().int)


def as_uuid(text: str) -> uuid.UUID | None:
    """The id that somebody typed or sent; None when it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
