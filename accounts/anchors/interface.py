"""What an anchor is: a place outside where checkpoints are left, so that the log cannot be cut or rewritten unseen."""

from dataclasses import dataclass
from typing import Protocol


class AnchorFailed(Exception):
    """A checkpoint could not be left there; the text says why, and holds no secret."""


@dataclass(frozen=True)
class Mark:
    """A checkpoint to be left at an anchor."""

    size: int
    root: bytes
    note: str


class Anchor(Protocol):
    """One kind per file; `name` is shown and stored, and holds no secret."""

    @property
    def name(self) -> str: ...

    @property
    def beside_data(self) -> bool:
        """Whether who holds the data holds the anchor as well, so that it proves nothing against them."""

    def put(self, mark: Mark) -> str:
        """Leave the checkpoint there, durably; what to remember about it. Raises AnchorFailed."""
