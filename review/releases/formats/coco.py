"""COCO object detection and segmentation: https://cocodataset.org/#format-data

One file per split, `annotations/instances_<split>.json`, with `file_name` relative to the release's root. A category's
id is its permanent class index plus one, because many readers take 0 for the background; every class of the taxonomy is
listed, retired ones too. An image's id is its position plus one. Regions that nobody judged are annotations with
`iscrowd: 1` and `ignore: 1`, which evaluators and trainers leave out of the loss. Everything is ASCII.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

import msgspec

from review.releases.contents import Box, Label, Picture, Point
from review.releases.json_stream import elements, value
from review.releases.recipe import Head

from .interface import Files, Found, Unreadable

FIRST_CATEGORY = 1
FIRST_IMAGE = 1
# Escapes everything beyond ASCII, because many readers open the file in whatever encoding their system has.
escape = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
encode = msgspec.json.Encoder().encode


class Coco:
    title = "COCO"
    tolerance_px = 0.0

    def takes(self, picture: Picture) -> bool:
        return True

    def beside(self, picture: Picture) -> Iterable[tuple[str, bytes]]:
        return ()

    def whole(self, head: Head, folder: Path) -> "CocoWriter":
        return CocoWriter(head, folder)

    def read(self, head: Head, files: Files, pictures: Iterator[Picture]) -> Iterator[Found]:
        for split, expected in groupby(pictures, key=attrgetter("split")):
            yield from read_split(head, files, file_name(split), expected)


def file_name(split: str) -> str:
    return f"annotations/instances_{split}.json"


def categories(head: Head) -> list[dict[str, Any]]:
    return [{"id": row.index + FIRST_CATEGORY, "name": row.name, "supercategory": ""} for row in head.classes]


class CocoWriter:
    """Streams images into the file and annotations into a second one, which is appended when the split is over."""

    def __init__(self, head: Head, folder: Path) -> None:
        self.head = head
        self.folder = folder
        self.written: list[tuple[str, Path]] = []
        self.split = ""
        self.next_id = 1
        self.images_empty = self.annotations_empty = True
        self.images: IO[bytes] | None = None
        self.annotations: IO[bytes] | None = None

    def add(self, picture: Picture) -> None:
        if picture.split != self.split or self.images is None or self.annotations is None:
            self.close_split()
            self.images, self.annotations = self.open_split(picture.split)
        image_id = picture.position + FIRST_IMAGE
        image = {"id": image_id, "file_name": picture.path, "width": picture.width, "height": picture.height}
        self.images.write((b"\n" if self.images_empty else b",\n") + encode(image))
        self.images_empty = False
        for label, ignored in (*((one, False) for one in picture.labels), *((one, True) for one in picture.ignore)):
            start = b"\n" if self.annotations_empty else b",\n"
            said = annotation(self.next_id, image_id, label, ignored=ignored)
            # Of an annotation only its attributes can hold more than ASCII.
            self.annotations.write(start + (escape(said).encode("ascii") if label.attributes else encode(said)))
            self.annotations_empty = False
            self.next_id += 1

    def open_split(self, split: str) -> tuple[IO[bytes], IO[bytes]]:
        self.split, self.images_empty, self.annotations_empty = split, True, True
        images = (self.folder / f"coco-{split}.json").open("wb")
        annotations = (self.folder / f"coco-{split}.annotations").open("w+b")
        about = {
            "description": self.head.title,
            "version": str(self.head.number),
            "date_created": self.head.created_at.isoformat(),
        }
        head = f'{{"info":{escape(about)},\n"licenses":[],\n"categories":{escape(categories(self.head))},\n"images":['
        images.write(head.encode("ascii"))
        return images, annotations

    def close_split(self) -> None:
        if self.images is None or self.annotations is None:
            return
        self.images.write(b'\n],\n"annotations":[')
        self.annotations.seek(0)
        shutil.copyfileobj(self.annotations, self.images)
        self.images.write(b"\n]}\n")
        self.images.close()
        self.annotations.close()
        (self.folder / f"coco-{self.split}.annotations").unlink()
        self.written.append((file_name(self.split), self.folder / f"coco-{self.split}.json"))
        self.images = self.annotations = None

    def finish(self) -> list[tuple[str, Path]]:
        self.close_split()
        return self.written

    def close(self) -> None:
        for file in (self.images, self.annotations):
            if file is not None:
                file.close()


def annotation(number: int, image_id: int, label: Label, *, ignored: bool) -> dict[str, Any]:
    """One COCO annotation; areas in square pixels."""
    x, y, width, height = label.box
    said: dict[str, Any] = {
        "id": number,
        "image_id": image_id,
        "category_id": label.class_index + FIRST_CATEGORY,
        "bbox": [x, y, width, height],
        "area": polygon_area(label.polygon) if label.polygon else width * height,
        "iscrowd": int(ignored),
        "segmentation": [[value for point in label.polygon for value in point]] if label.polygon else [],
    }
    if ignored:
        said["ignore"] = 1
    if label.attributes:
        said["attributes"] = label.attributes
    return said


def polygon_area(points: tuple[Point, ...]) -> float:
    """The area of a simple polygon by the shoelace formula (Meister 1769)."""
    following = (*points[1:], points[0])
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in zip(points, following, strict=True))) / 2


def read_split(head: Head, files: Files, name: str, expected: Iterable[Picture]) -> Iterator[Found]:
    """The images of one file in their order, each with its annotations, which must follow in the same order."""
    try:
        with files.open(name) as one, files.open(name) as two, files.open(name) as three:
            if value(one, "categories") != categories(head):
                raise Unreadable(name, "the categories are not the classes of the taxonomy")
            images, annotations = elements(two, "images"), elements(three, "annotations")
            pending = next(annotations, None)
            for _picture in expected:
                image = next(images, None)
                if image is None:
                    raise Unreadable(name, "an image is missing at the end")
                found = Found(name, image["file_name"], (image["width"], image["height"]))
                while pending is not None and pending["image_id"] == image["id"]:
                    found_in = found.ignore if pending["iscrowd"] else found.labels
                    found_in.append((pending["category_id"] - FIRST_CATEGORY, box_of(pending["bbox"])))
                    pending = next(annotations, None)
                yield found
            if pending is not None or next(images, None) is not None:
                raise Unreadable(name, "there is more in the file than was frozen")
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(name, f"this is not the COCO that was written ({error})") from error


def box_of(numbers: Any) -> Box:
    x, y, width, height = (float(number) for number in numbers)
    return x, y, width, height
