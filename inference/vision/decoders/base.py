"""The interface of a head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.vision.boxes import Floats, Indexes
from inference.vision.exceptions import OutputInvalid
from inference.vision.preprocess import InputSpec
from inference.vision.signature import Signature


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes before suppression: boxes [N, 4] in input pixels, scores [N] in 0..1, class indexes [N]."""

    boxes: Floats
    scores: Floats
    classes: Indexes


class Decoder(Protocol):
    """Reads the outputs of one model."""

    name: ClassVar[str]
    layout: ClassVar[str]
    nms_iou: ClassVar[float]

    @property
    def classes(self) -> int:
        """How many classes the outputs have room for."""
        ...

    @property
    def input(self) -> InputSpec:
        """What models with this head are fed, unless metadata or the user say otherwise."""
        ...

    def decode(self, outputs: Sequence[NDArray[Any]], floor: float) -> Candidates:
        """Everything that scores at least `floor`; `outputs` in the model's order. Raises `OutputInvalid`."""
        ...


class Head(Protocol):
    """A kind of decoder; its classes are the heads, so the members are read from the class."""

    @property
    def name(self) -> str:
        """One word for reports."""
        ...

    @property
    def layout(self) -> str:
        """What outputs it reads, for people."""
        ...

    def recognise(self, signature: Signature, classes: int | None) -> Decoder | None:
        """A decoder when the outputs have this head's shape, else None."""
        ...


def check_scores(scores: NDArray[Any]) -> None:
    """Raises `OutputInvalid` unless the greatest score is at most 1; NaN fails too.

    Raw logits or a wrong normalisation would otherwise pass as plausible nonsense.
    """
    if scores.size and not scores.max() <= 1.0001:
        raise OutputInvalid("the model gives scores above 1 or not a number; scores must be probabilities in 0..1")


def above(scores: NDArray[Any], floor: float) -> tuple[Indexes, Indexes]:
    """Row and column of each value of `scores` [rows, columns] that is at least `floor`."""
    # Over the flat array this is twelve times faster than `np.nonzero` over the table (80 classes, 3,549 cells).
    rows, columns = np.divmod(np.flatnonzero(scores.ravel() >= floor), scores.shape[1])
    return rows, columns
