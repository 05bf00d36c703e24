"""Copies of pictures: upright, small, in plain colour, and without a word about where they were taken."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image, ImageDraw

from accounts.models import User
from review.models import Evidence, EvidenceState
from review.tasks.renditions import make_renditions
from tests.factories import Place, event_body, jpeg, post
from tests.review.api import pictures


@pytest.fixture(autouse=True)
def in_this_process(settings: Any) -> None:
    """Without the child process, which has tests of its own."""
    settings.SECONDLOOK = settings.SECONDLOOK | {"DECODE_IN_CHILD": False}


def kept(place: Place, data: bytes, kind: str = "image/jpeg") -> Evidence:
    body = event_body(picture=data)
    body["evidence"][0]["content_type"] = kind
    post(place, picture=data, evidence=body["evidence"])
    evidence = Evidence.objects.latest("stored_at")
    make_renditions.func(str(evidence.pk))
    evidence.refresh_from_db()
    return evidence


def copy(evidence: Evidence, store: Path, kind: str = "working") -> Image.Image:
    return Image.open(store / evidence.renditions.get(kind=kind).path)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "size,thumbnail,working",
    [
        ((640, 480), (320, 240), (640, 480)),
        ((4000, 2000), (320, 160), (1600, 800)),
        ((100, 50), (100, 50), (100, 50)),
        ((3000, 3), (320, 1), (1600, 2)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_copies_are_bounded_and_never_enlarged(
    place: Place, file_store: Path, size: Any, thumbnail: Any, working: Any
) -> None:
    evidence = kept(place, jpeg(size=size))
    for kind, expected in (("thumbnail", thumbnail), ("working", working)):
        row = evidence.renditions.get(kind=kind)
        assert copy(evidence, file_store, kind).size == expected == (row.width, row.height)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(place: Place, file_store: Path, orientation: int) -> None:
    upright = Image.new("RGB", (320, 240), "black")
    ImageDraw.Draw(upright).rectangle((0, 0, 79, 59), fill="red")
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(upright if undo is None else upright.transpose(undo), "JPEG", exif=exif, quality=95)
    found = copy(kept(place, data), file_store)
    assert found.size == (320, 240)
    assert found.getpixel((40, 30))[0] > 200
    for corner in ((280, 30), (40, 210), (280, 210)):
        assert max(found.getpixel(corner)) < 60


def test_no_copy_says_where_it_was_taken(place: Place, file_store: Path) -> None:
    data = pictures.turned(6)
    assert b"camera of somebody" in data
    evidence = kept(place, data)
    for kind in ("thumbnail", "working"):
        found = copy(evidence, file_store, kind)
        assert not found.getexif()
        assert b"camera of somebody" not in (file_store / evidence.renditions.get(kind=kind).path).read_bytes()
    assert (file_store / evidence.path).read_bytes() == data


@pytest.mark.parametrize(
    "mode,kind,fill",
    [
        ("CMYK", "JPEG", (0, 255, 255, 0)),
        ("L", "JPEG", 200),
        ("P", "PNG", 0),
        ("RGBA", "PNG", (255, 0, 0, 0)),
        ("LA", "PNG", (200, 10)),
        ("1", "PNG", 1),
        ("I;16", "PNG", 60_000),
        ("RGBA", "WEBP", (255, 0, 0, 128)),
    ],
)
def test_every_mode_becomes_plain_colour(place: Place, file_store: Path, mode: str, kind: str, fill: Any) -> None:
    evidence = kept(place, saved(Image.new(mode, (64, 48), fill), kind), f"image/{kind.lower()}")
    assert evidence.state == EvidenceState.STORED, evidence.damage
    assert copy(evidence, file_store).mode == "RGB"
    assert len(evidence.colour) == 7


def test_sixteen_bits_are_stretched_and_not_cut_off(place: Place, file_store: Path) -> None:
    picture = Image.new("I;16", (64, 48), 1000)
    picture.paste(4000, (0, 0, 32, 48))
    found = copy(kept(place, saved(picture, "PNG"), "image/png"), file_store)
    assert min(found.getpixel((8, 24))) > 230
    assert max(found.getpixel((56, 24))) < 25


def test_a_cut_off_picture_is_marked_damaged_and_kept(place: Place, file_store: Path, operator: User) -> None:
    data = jpeg(size=(640, 480))[:-600]
    evidence = kept(place, data)
    assert evidence.state == EvidenceState.DAMAGED
    assert evidence.damage
    assert not evidence.renditions.exists()
    assert (file_store / evidence.path).read_bytes() == data
    client = Client()
    client.force_login(operator)
    assert client.get(f"/media/{evidence.pk}/working/").status_code == 404


def test_a_picture_whose_file_is_gone_is_marked_and_no_path_is_told(place: Place, file_store: Path) -> None:
    post(place, picture=jpeg())
    evidence = Evidence.objects.get()
    (file_store / evidence.path).unlink()
    make_renditions.func(str(evidence.pk))
    evidence.refresh_from_db()
    assert evidence.state == EvidenceState.DAMAGED
    assert "/" not in evidence.damage


def test_no_copy_is_made_of_bytes_that_are_not_those_that_were_stored(place: Place, file_store: Path) -> None:
    post(place, picture=jpeg())
    evidence = Evidence.objects.get()
    (file_store / evidence.path).write_bytes(jpeg((1, 2, 3)))
    make_renditions.func(str(evidence.pk))
    evidence.refresh_from_db()
    assert (evidence.state, evidence.damage) == (EvidenceState.DAMAGED, "its file is not what was stored")
    assert not evidence.renditions.exists()


def test_making_them_again_changes_nothing(place: Place, file_store: Path) -> None:
    evidence = kept(place, jpeg())
    before = list(evidence.renditions.order_by("pk").values())
    make_renditions.func(str(evidence.pk))
    assert list(evidence.renditions.order_by("pk").values()) == before
