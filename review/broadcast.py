"""What the review side tells open pages."""

from uuid import UUID

from accounts.broadcast import on_commit, send
from review.models import Item


def queue_changed(queue_id: UUID, *, held: bool = False) -> None:
    """Items of a queue came, went or changed hands; `held` when a machine waits, or waited, for one of them."""
    said = {"type": "changed", "kind": "queue", "id": str(queue_id)}
    on_commit(f"queue.{queue_id}", said | ({"held": True} if held else {}))


def item_changed(item: Item) -> None:
    """An item of its queue came, went or changed hands."""
    queue_changed(item.queue_id, held=item.held_until is not None)


def release_changed(release_id: UUID) -> None:
    """A release moved on."""
    on_commit(f"release.{release_id}", {"type": "changed", "kind": "release", "id": str(release_id)})


def source_changed(source_id: UUID) -> None:
    """A source posted something."""
    on_commit(f"source.{source_id}", {"type": "changed", "kind": "source", "id": str(source_id)})


def hold_changed(event_id: UUID) -> None:
    """A machine that waits for the answer to this event can be told something."""
    on_commit(hold_group(event_id), {"type": "changed", "kind": "hold", "id": str(event_id)})


def hold_group(event_id: UUID) -> str:
    return f"hold.{event_id}"


def source_fault(source_id: UUID) -> None:
    """A call of a source was refused. Said at once: there is no transaction that could be taken back."""
    send(f"source.{source_id}", {"type": "changed", "kind": "source", "id": str(source_id)})
