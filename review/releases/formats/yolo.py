"""YOLO detection in the Ultralytics layout: https://docs.ultralytics.com/datasets/detect/

`images/<split>/`, `labels/<split>/` and `data.yaml` with the names by permanent class index. A line of a label file is
`index centre_x centre_y width height`, as shares of the picture's size. A picture in which nothing is has an empty
label file. The format has no word for a region that nobody judged, so pictures that were judged in part are left out.
"""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from review.models import Split
from review.releases.contents import Box, Picture
from review.releases.recipe import Head

from .interface import Files, Found, Unreadable

DATA = "data.yaml"
NAME = re.compile(r'  (\d+): "(.*)"')
ESCAPE = re.compile(r'\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(["\\]))')


class Yolo:
    title = "YOLO (Ultralytics)"
    # Eight decimals of the largest picture that is taken are far below this.
    tolerance_px = 0.01

    def takes(self, picture: Picture) -> bool:
        return picture.complete

    def beside(self, picture: Picture) -> Iterable[tuple[str, bytes]]:
        lines = (line(label.class_index, label.box, picture) for label in picture.labels)
        return [(label_name(picture), "".join(lines).encode("ascii"))]

    def whole(self, head: Head, folder: Path) -> "YoloWriter":
        return YoloWriter(head, folder)

    def read(self, head: Head, files: Files, pictures: Iterator[Picture]) -> Iterator[Found]:
        if read_names(files) != names(head):
            raise Unreadable(DATA, "the names are not the classes of the taxonomy")
        for picture in pictures:
            name = label_name(picture)
            try:
                lines = files.read(name).decode("ascii").splitlines()
                yield Found(name, picture.path, None, [parse(line, picture) for line in lines])
            except ValueError as error:
                raise Unreadable(name, f"this is no YOLO label file ({error})") from error


def label_name(picture: Picture) -> str:
    return f"labels/{picture.split}/{picture.stem}.txt"


def line(class_index: int, box: Box, picture: Picture) -> str:
    x, y, width, height = box
    shares = (
        (x + width / 2) / picture.width,
        (y + height / 2) / picture.height,
        width / picture.width,
        height / picture.height,
    )
    return f"{class_index} " + " ".join(f"{share:.8f}" for share in shares) + "\n"


def parse(text: str, picture: Picture) -> tuple[int, Box]:
    """A line as class index and box in pixels. Raises ValueError."""
    index, *numbers = text.split(" ")
    x, y, width, height = (float(number) for number in numbers)
    if not all(math.isfinite(share) and 0 <= share <= 1 for share in (x, y, width, height)):
        raise ValueError("a share is not between 0 and 1")
    left, top = (x - width / 2) * picture.width, (y - height / 2) * picture.height
    return int(index), (left, top, width * picture.width, height * picture.height)


def names(head: Head) -> dict[int, str]:
    """The names by index, without a hole: trainers take the indexes for 0 to n-1."""
    known = {row.index: row.name for row in head.classes}
    return {index: known.get(index, f"unused {index}") for index in range(max(known, default=-1) + 1)}


def quoted(text: str) -> str:
    """A YAML double-quoted scalar in ASCII: https://yaml.org/spec/1.2.2/#double-quoted-style"""
    return '"' + "".join(escaped(letter) for letter in text) + '"'


def escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if " " <= letter <= "~":
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquoted(text: str) -> str:
    """The text of a double-quoted scalar as `quoted` writes it, without its quotes."""
    return ESCAPE.sub(lambda found: found[4] or chr(int(found[1] or found[2] or found[3], 16)), text)


def read_names(files: Files) -> dict[int, str]:
    """The names of `data.yaml` by index. Raises Unreadable when an index is missing or out of order."""
    _before, _names, block = files.read(DATA).decode("ascii").partition("\nnames:")
    found: dict[int, str] = {}
    for expected, entry in zip(count(), block.strip("\n").splitlines(), strict=False):
        match = NAME.fullmatch(entry)
        if match is None or int(match[1]) != expected:
            raise Unreadable(DATA, f"class {expected} is not where it belongs")
        found[expected] = unquoted(match[2])
    return found


class YoloWriter:
    """Writes `data.yaml`; everything else lies beside the pictures."""

    def __init__(self, head: Head, folder: Path) -> None:
        self.head = head
        self.path = folder / DATA
        self.splits: set[str] = set()

    def add(self, picture: Picture) -> None:
        self.splits.add(picture.split)

    def finish(self) -> list[tuple[str, Path]]:
        classes = names(self.head)
        listed = [f"  {index}: {quoted(name)}" for index, name in classes.items()]
        text = [f"# {quoted(str(self.head.title))}, release {self.head.number} of {self.head.site}", *self.folders()]
        text += ["names:", *listed] if listed else ["names: {}"]
        self.path.write_bytes("\n".join([*text, ""]).encode("ascii"))
        return [(DATA, self.path)]

    def close(self) -> None:
        """Nothing stays open."""

    def folders(self) -> Iterator[str]:
        """Trainers insist on a validation folder; without validation pictures it is that of training, and says so."""
        yield f"train: images/{Split.TRAIN}"
        if Split.VAL in self.splits:
            yield f"val: images/{Split.VAL}"
        else:
            yield f"val: images/{Split.TRAIN}  # this release has no validation pictures"
        if Split.TEST in self.splits:
            yield f"test: images/{Split.TEST}"
