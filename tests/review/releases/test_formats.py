"""Formats: what is written is what an independent reader finds, whatever the classes and boxes are."""

import io
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask
from pycocotools.coco import COCO

from review.releases.contents import ClassRow, Label, Picture, picture_path
from review.releases.formats import FORMATS
from review.releases.formats.interface import Unreadable
from review.releases.formats.yolo import quoted, unquoted
from review.releases.recipe import Head
from review.releases.verify import says_otherwise

odd_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@st.composite
def boxes(draw, width, height):
    """Boxes that may touch the border and be one pixel small."""
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    shift = draw(st.sampled_from([0.0, 0.125, 0.333]))
    return (left + shift, top + shift, round(right - left - shift, 3), round(bottom - top - shift, 3))


@st.composite
def labels(draw, classes, width, height):
    polygon = ()
    box = draw(boxes(width, height))
    if draw(st.booleans()):
        x, y, w, h = box
        polygon = ((x, y), (x + w, y), (x, y + h))
    return Label(draw(st.sampled_from(classes)).index, box, polygon, draw(st.sampled_from([{}, {"worn": "ä\n<&"}])))


@st.composite
def datasets(draw):
    names = draw(st.lists(odd_names, min_size=1, max_size=5, unique=True))
    classes = [ClassRow(index * draw(st.sampled_from([1, 1, 1])), name, False) for index, name in enumerate(names)]
    pictures, position = [], 0
    for split in ("train", "val", "test"):
        for _ in range(draw(st.integers(0, 3))):
            width, height = draw(st.sampled_from([(1, 1), (64, 48), (1920, 1080), (7, 4000)]))
            complete = draw(st.booleans())
            pictures.append(
                Picture(
                    position,
                    split,
                    picture_path(split, f"{position:016x}", complete=complete),
                    width,
                    height,
                    "corrected",
                    complete,
                    draw(st.lists(labels(classes, width, height), max_size=4)),
                    [] if complete else draw(st.lists(labels(classes, width, height), max_size=3)),
                )
            )
            position += 1
    return Head("odd \n title: “x”", 3, "yard", datetime(2026, 3, 1, tzinfo=UTC), classes, list(FORMATS)), pictures


class Folder:
    """Files in memory, as the reader's interface wants them."""

    def __init__(self):
        self.files = {}

    def read(self, name):
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name]

    def open(self, name):
        return io.BytesIO(self.read(name))


def write(name, head, pictures):
    one, folder = FORMATS[name], Folder()
    with tempfile.TemporaryDirectory() as staging:
        writer = one.whole(head, Path(staging))
        for picture in pictures:
            if one.takes(picture):
                folder.files.update(one.beside(picture))
                writer.add(picture)
        folder.files.update({file: path.read_bytes() for file, path in writer.finish()})
    return folder


def read(name, head, folder, pictures):
    return list(FORMATS[name].read(head, folder, iter(pictures)))


@pytest.mark.parametrize("name", list(FORMATS))
@given(data=datasets())
@settings(max_examples=60, deadline=None)
def test_every_format_reads_back_what_it_wrote(name, data):
    head, pictures = data
    one = FORMATS[name]
    taken = [picture for picture in pictures if one.takes(picture)]
    found = read(name, head, write(name, head, pictures), taken)
    assert [says_otherwise(picture, said, one) for picture, said in zip(taken, found, strict=True)] == [""] * len(taken)


@given(data=datasets())
@settings(max_examples=40, deadline=None)
def test_pycocotools_finds_the_same(data):
    head, pictures = data
    folder = write("coco", head, pictures)
    numbers = []
    for split in {picture.split for picture in pictures}:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "coco.json"
            path.write_bytes(folder.files[f"annotations/instances_{split}.json"])
            coco = COCO(str(path))
        assert {row["id"]: row["name"] for row in coco.loadCats(coco.getCatIds())} == {
            row.index + 1: row.name for row in head.classes
        }
        assert coco.getImgIds() == [picture.position + 1 for picture in pictures if picture.split == split]
        for picture in (one for one in pictures if one.split == split):
            said = coco.loadAnns(coco.getAnnIds(imgIds=[picture.position + 1]))
            wanted = [(label, 0) for label in picture.labels] + [(label, 1) for label in picture.ignore]
            assert [(row["category_id"] - 1, tuple(row["bbox"]), row["iscrowd"]) for row in said] == [
                (label.class_index, label.box, crowd) for label, crowd in wanted
            ]
            for row, (label, crowd) in zip(said, wanted, strict=True):
                assert row.get("attributes", {}) == label.attributes
                if label.polygon and not crowd:
                    assert mask.decode(coco.annToRLE(row)).shape == (picture.height, picture.width)
        numbers += coco.anns
    assert len(set(numbers)) == len(numbers)


@given(st.lists(odd_names, min_size=1, max_size=6, unique=True))
def test_data_yaml_names_every_class_for_a_yaml_reader(found):
    head = Head(
        "t", 1, "yard", datetime(2026, 3, 1, tzinfo=UTC), [ClassRow(i, n, False) for i, n in enumerate(found)], []
    )
    text = write("yolo", head, []).files["data.yaml"]
    assert yaml.safe_load(text)["names"] == dict(enumerate(found))


@given(odd_names)
def test_quoting_turns_round(text):
    assert unquoted(quoted(text)[1:-1]) == text


def test_ten_thousand_boxes_in_one_picture():
    head = Head("t", 1, "yard", datetime(2026, 3, 1, tzinfo=UTC), [ClassRow(0, "nail", False)], [])
    many = [Label(0, (float(n % 100), float(n // 100), 1.0, 1.0)) for n in range(10_000)]
    picture = Picture(0, "train", "images/train/a.jpg", 100, 100, "corrected", True, many)
    for name, one in FORMATS.items():
        assert says_otherwise(picture, read(name, head, write(name, head, [picture]), [picture])[0], one) == ""


def head_and_picture(split="train"):
    head = Head("t", 1, "yard", datetime(2026, 3, 1, tzinfo=UTC), [ClassRow(0, "nail", False)], [])
    label = Label(0, (1.0, 2.0, 3.0, 4.0))
    return head, Picture(0, split, f"images/{split}/a.jpg", 100, 100, "corrected", True, [label])


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["images"].clear(),
        lambda said: said["images"].append(said["images"][0]),
        lambda said: said["annotations"].append(said["annotations"][0] | {"image_id": 9}),
        lambda said: said["categories"][0].update(id=2),
        lambda said: said["annotations"][0].pop("bbox"),
        lambda said: said.pop("images"),
    ],
)
def test_coco_that_does_not_hold_together_is_unreadable(change):
    head, picture = head_and_picture()
    folder = write("coco", head, [picture])
    name = "annotations/instances_train.json"
    said = json.loads(folder.files[name])
    change(said)
    folder.files[name] = json.dumps(said).encode()
    with pytest.raises(Unreadable):
        read("coco", head, folder, [picture])


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.5", "0 nan 0.5 0.5 0.5", "x 0.5 0.5 0.5 0.5", "0 1.5 0.5 0.5 0.5"])
def test_a_broken_line_of_yolo_is_unreadable(line):
    head, picture = head_and_picture()
    folder = write("yolo", head, [picture])
    folder.files["labels/train/a.txt"] = line.encode()
    with pytest.raises(Unreadable):
        read("yolo", head, folder, [picture])


def test_indexes_with_a_hole_stay_what_they_are():
    head, _picture = head_and_picture()
    head = Head(head.title, 1, "yard", head.created_at, [ClassRow(0, "a", False), ClassRow(2, "c", True)], [])
    assert yaml.safe_load(write("yolo", head, []).files["data.yaml"])["names"] == {0: "a", 1: "unused 1", 2: "c"}


def test_without_validation_pictures_data_yaml_says_so():
    head, picture = head_and_picture()
    text = write("yolo", head, [picture]).files["data.yaml"].decode()
    assert "val: images/train  # this release has no validation pictures" in text
    head, picture = head_and_picture("val")
    assert yaml.safe_load(write("yolo", head, [picture]).files["data.yaml"])["val"] == "images/val"
