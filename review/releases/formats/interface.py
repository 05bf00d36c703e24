"""What a dataset format is. Adding one takes its file in this folder and its line in `FORMATS` (`__init__.py`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from review.releases.contents import Box, Picture
from review.releases.recipe import Head


class Unreadable(Exception):
    """A file of a release does not say what it must; `name` is the file, `detail` what is wrong."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.detail = detail


@dataclass(slots=True)
class Found:
    """What the files of a format say about one picture: boxes in pixels of the picture, with class indexes.

    `size` (width, height) is None where a format does not write it; `name` is the file that was read.
    """

    name: str
    path: str
    size: tuple[int, int] | None
    labels: list[tuple[int, Box]] = field(default_factory=list)
    ignore: list[tuple[int, Box]] = field(default_factory=list)


class Files(Protocol):
    """The files of a release for reading. Both raise FileNotFoundError."""

    def read(self, name: str) -> bytes: ...

    def open(self, name: str) -> IO[bytes]: ...


class Writer(Protocol):
    """Writes the files of a format that speak of all pictures."""

    def add(self, picture: Picture) -> None:
        """Take the next picture; they come in order of their positions, and so split by split."""

    def finish(self) -> list[tuple[str, Path]]:
        """The files that are complete now: their names in the release, and where they lie."""

    def close(self) -> None:
        """Let go of what is open, also after a failure; harmless after `finish`."""


class Format(Protocol):
    """A dataset format. Memory must not grow with the number of pictures."""

    @property
    def title(self) -> str:
        """How people call it."""

    @property
    def tolerance_px(self) -> float:
        """How far a coordinate may be off after writing and reading."""

    def takes(self, picture: Picture) -> bool:
        """Whether the format can say what was judged in this picture."""

    def beside(self, picture: Picture) -> Iterable[tuple[str, bytes]]:
        """Small files that belong to one picture: name and bytes."""

    def whole(self, head: Head, folder: Path) -> Writer:
        """A writer of the files over all pictures; it may use `folder` as it likes."""

    def read(self, head: Head, files: Files, pictures: Iterator[Picture]) -> Iterator[Found]:
        """What the written files say about `pictures`, one answer for each, in their order.

        `pictures` tell where to look; what is found comes from the files only. Raises Unreadable or FileNotFoundError.
        """
