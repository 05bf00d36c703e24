"""Files of predictions: what is right is read exactly, what is wrong is told by its place, and nothing is guessed."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.uploads.predictions import Expected, Faulty, Listing, Said, told
from review.uploads.predictions.classes import read_classes
from review.uploads.predictions.coco import Coco, listing_of, merged
from review.uploads.predictions.formats import format_of
from review.uploads.predictions.yolo import Yolo

CLASSES = ("person", "bird")


def yolo(text: str | bytes, task: str = "detection", **more: Any) -> Said:
    data = text.encode() if isinstance(text, str) else text
    (said,) = Yolo().read("a.txt", data, Expected(task, CLASSES, **more))
    return said


def coco(value: Any, task: str = "detection", **more: Any) -> dict[str, Said]:
    return {said.picture: said for said in Coco().read("a.json", json.dumps(value).encode(), Expected(task, **more))}


def fault(call: Any) -> str:
    with pytest.raises(Faulty) as caught:
        call()
    return str(caught.value)


SHARE = st.floats(0, 1, allow_nan=False)
SIDE = st.floats(0.001, 1, allow_nan=False)


@given(st.lists(st.tuples(st.integers(0, 1), SHARE, SHARE, SIDE, SIDE, SHARE), max_size=20))
def test_boxes_of_yolo_come_back_as_they_were_written(rows: list[tuple[Any, ...]]) -> None:
    said = yolo("\n".join(" ".join(map(repr, row)) for row in rows))
    assert not said.faults
    for one, (index, cx, cy, width, height, confidence) in zip(said.predictions, rows, strict=True):
        assert one.box is not None
        assert (one.name, one.confidence, one.box[2:], one.relative) == (
            CLASSES[index],
            confidence,
            (width, height),
            True,
        )
        assert abs(one.box[0] + width / 2 - cx) < 1e-9
        assert abs(one.box[1] + height / 2 - cy) < 1e-9


@given(st.lists(st.tuples(SHARE, SHARE), min_size=3, max_size=30), SHARE, st.booleans())
def test_polygons_of_yolo_come_back_as_they_were_written(
    points: list[tuple[float, float]], confidence: float, said_so: bool
) -> None:
    line = "1 " + " ".join(f"{x!r} {y!r}" for x, y in points) + (f" {confidence!r}" if said_so else "")
    (one,) = yolo(line, "segmentation", confidence=0.5).predictions
    assert one.polygon == tuple(points)
    assert one.confidence == (confidence if said_so else 0.5)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.text("0123456789. -+eEnaif\n\t,", max_size=200).map(str.encode)))
def test_any_bytes_are_read_or_told_about(data: bytes) -> None:
    for task in ("detection", "segmentation", "classification"):
        for reader, name in ((Yolo(), "a.txt"), (Coco(), "a.json")):
            with contextlib.suppress(Faulty):
                list(reader.read(name, data, Expected(task, CLASSES)))
    for name in ("classes.txt", "data.yaml"):
        with contextlib.suppress(Faulty):
            assert all(read_classes(name, data))


KEYS = ["images", "annotations", "categories", "id", "image_id", "bbox", "score", "file_name", "name"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=300)
@given(JSON)
def test_any_json_is_read_or_told_about(value: Any) -> None:
    listing = Listing({1: ("a.jpg", None)}, {1: "bird"})
    for task in ("detection", "segmentation"):
        with contextlib.suppress(Faulty):
            list(Coco().read("a.json", json.dumps(value).encode(), Expected(task, listing=listing)))


@pytest.mark.parametrize(
    "line,says",
    [
        ("0 0.5 0.5 0.1", "this line has 3"),
        ("0 0.5 0.5 0.1 0.1 0.5 0.5", "this line has 6"),
        ("2 0.5 0.5 0.1 0.1 0.5", "class 2 is not among the 2 names"),
        ("-1 0.5 0.5 0.1 0.1 0.5", "'-1' is no number of a class"),
        ("1.0 0.5 0.5 0.1 0.1 0.5", "'1.0' is no number of a class"),
        ("0 320 240 64 48 0.5", "320 is no share"),
        ("0 0.5 0.5 0 0.1 0.5", "no area"),
        ("0 0.5 0.5 nan 0.1 0.5", "'nan' is no number"),
        ("0 0.5 0.5 0.1 0.1 1.5", "the confidence 1.5"),
        ("0 0.5 0.5 0.1 0.1", "there is no confidence"),
    ],
)
def test_a_line_of_yolo_that_is_wrong_is_told_with_its_number(line: str, says: str) -> None:
    said = yolo(f"\n0 0.5 0.5 0.1 0.1 0.9\n{line}\n")
    assert len(said.predictions) == 1
    assert told(said.faults).startswith("line 3: ")
    assert says in told(said.faults)


def test_yolo_needs_names_and_says_so() -> None:
    assert "called" in fault(lambda: list(Yolo().read("a.txt", b"0 0 0 1 1", Expected("detection"))))
    assert list(Yolo().read("a.txt", b"\n", Expected("detection"))) == [Said("a.txt")]
    assert "more than 1000" in fault(lambda: yolo("0 0.5 0.5 0.1 0.1 0.9\n" * 1001))


COCO = {
    "images": [{"id": 1, "file_name": "x/a.jpg", "width": 64, "height": 48}, {"id": 2, "file_name": "b.jpg"}],
    "categories": [{"id": 7, "name": "bird"}],
    "annotations": [
        {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4.5], "score": 0.5, "segmentation": [[0, 0, 9, 0, 9, 9]]}
    ],
}


def test_a_whole_coco_file_with_scores_is_read() -> None:
    said = coco(COCO)
    assert said["x/a.jpg"].predictions[0].box == (1.0, 2.0, 3.0, 4.5)
    assert (said["x/a.jpg"].size, said["b.jpg"]) == ((64, 48), Said("b.jpg"))
    assert coco(COCO, "segmentation")["x/a.jpg"].predictions[0].polygon == ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))
    assert coco(COCO, "classification")["x/a.jpg"].predictions[0].name == "bird"


@pytest.mark.parametrize(
    "change,says",
    [
        ({"score": None}, "$.annotations[0]: there is no score"),
        ({"score": 2}, "$.annotations[0]: the score does not lie"),
        ({"score": True}, "$.annotations[0]: the score does not lie"),
        ({"category_id": 8}, "$.annotations[0]: no category has the number 8"),
        ({"bbox": [1, 2, 0, 4]}, "$.annotations[0]: the box has no area"),
        ({"bbox": [1, 2, 3]}, "$.annotations[0]: bbox is not"),
        ({"bbox": [1, 2, 3, 10**400]}, "$.annotations[0]: bbox is not"),
    ],
)
def test_an_annotation_that_is_wrong_is_told_with_its_path(change: dict[str, Any], says: str) -> None:
    said = coco(COCO | {"annotations": [COCO["annotations"][0] | change]})  # type: ignore[operator]
    assert says in told(said["x/a.jpg"].faults)
    assert not said["x/a.jpg"].predictions


def test_coco_files_that_cannot_be_used_say_where() -> None:
    assert fault(lambda: coco([{"image_id": 3}])).startswith("$: no file of this upload lists")
    assert fault(lambda: coco(COCO | {"images": [{"id": 1}]})).startswith("$.images[0]")
    assert fault(lambda: coco(COCO | {"annotations": [{"image_id": 3}]})).startswith("$.annotations[0].image_id")
    assert "twice" in fault(lambda: coco(COCO | {"images": COCO["images"] * 2}))
    assert "twice" in fault(lambda: list(Coco().read("a.json", b'{"a": 1, "a": 2}', Expected("detection"))))
    other = listing_of(COCO | {"categories": [{"id": 7, "name": "truck"}]})
    assert "another meaning" in fault(lambda: merged(listing_of(COCO), other))


@pytest.mark.parametrize(
    "name,text",
    [
        ("classes.txt", "person\r\nbird\r\n"),
        ("data.yaml", "path: ../x\nnames: [person, bird]  # all\n"),
        ("data.yaml", "names: ['person', \"bird\",]\nnc: 2"),
        ("data.yaml", "names:\n  0: person\n  1: bird\nnc: 2\n"),
        ("data.yaml", "nc: 2\nnames:\n- person\n- bird # two\n\ntrain: x\n"),
        ("data.yaml", "names: {1: bird, 0: person}\n"),
        ("data.yml", "names: [\n  person,\n  bird\n]\n"),
    ],
)
def test_names_of_classes_in_all_their_forms(name: str, text: str) -> None:
    assert read_classes(name, text.encode()) == ["person", "bird"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nc: 2",
        "names: 5 6",
        "names: [a, [b]]",
        "names: [a, b",
        "names: !!python/object:os.system [a]",
        "names: [!!python/object/apply:os.system ['id'], b]",
        "names: [*anchor]",
        "names:\n  1: a\n  2: b\n",
        "names:\n  0: a\n  0: b\n",
        "names:\n  - a\n  1: b\n",
        "names: ['']",
    ],
)
def test_yaml_that_is_more_than_names_is_a_fault(text: str) -> None:
    fault(lambda: read_classes("data.yaml", text.encode()))


def test_releases_of_ours_are_read_back() -> None:
    """What `review/releases/formats/yolo.py` writes."""
    from review.releases.formats.yolo import quoted

    text = "names:\n" + "".join(
        f"  {n}: {quoted(name)}\n" for n, name in enumerate(['a "b"', "c: d # e", "Läufer", "\\\\x41 \U0001f9ba"])
    )
    assert read_classes("data.yaml", text.encode()) == ['a "b"', "c: d # e", "Läufer", "\\\\x41 \U0001f9ba"]


def test_a_file_finds_its_format_by_name() -> None:
    assert isinstance(format_of("A.JSON"), Coco)
    assert isinstance(format_of("a.txt"), Yolo)
    assert format_of("a.csv") is None
