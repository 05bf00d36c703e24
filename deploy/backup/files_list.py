"""The list of files of a backup, a line each, so that a hundred million of them need no memory."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from deploy.backup.exceptions import Damaged
from deploy.backup.manifest import FILES


@dataclass(frozen=True, slots=True)
class Listed:
    """A file by its name in the store; `sha256` is empty where the row does not know it (old renditions)."""

    name: str
    size: int
    sha256: str

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def read(folder: Path) -> Iterator[Listed]:
    """The files of a backup. Raises Damaged."""
    with (folder / FILES).open(encoding="utf-8") as lines:
        yield from parse(lines, FILES)


def parse(lines: Iterable[str], part: str) -> Iterator[Listed]:
    """Raises Damaged for a line that cannot be read, or names what is no file of the store."""
    for line in lines:
        try:
            one = Listed(**json.loads(line))
        except (ValueError, TypeError):
            raise Damaged(part, "holds a line that cannot be read") from None
        if not is_plain(one.name):
            raise Damaged(part, f"names a file outside the store ({one.name!r})")
        yield one


def is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts) and "\0" not in name
