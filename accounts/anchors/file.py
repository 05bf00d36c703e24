"""An anchor that is a file: notes one after the other, with an empty line between them."""

import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from accounts.anchors.interface import AnchorFailed, Mark


@dataclass(frozen=True)
class FileAnchor:
    path: Path

    @property
    def name(self) -> str:
        return f"file:{self.path}"

    @property
    def beside_data(self) -> bool:
        return self.path.resolve().is_relative_to(Path(settings.DATA_DIR).resolve())

    def put(self, mark: Mark) -> str:
        """Append the note and wait until it is on stable storage."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                # A note that a crash cut off must not run into this one.
                file.write(("\n" if torn(self.path) else "").encode() + mark.note.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AnchorFailed(f"The file could not be written: {error.strerror}.") from None
        return "appended"


def torn(path: Path) -> bool:
    """Whether the file ends within a line."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
