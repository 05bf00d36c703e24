"""Pictures that leave: upright, whole, and without a word about where they were taken."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from review.decoding import Undecodable
from review.releases.upright import CannotStrip, decoded_size, strip_jpeg, upright_jpeg


def picture(mode="RGB", size=(40, 30)):
    return Image.effect_noise(size, 80).convert(mode)


def encoded(image, kind="JPEG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def secretive(orientation=1):
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    exif[0x0112] = orientation
    return exif


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"comment": b"SECRET"}])
def test_an_upright_jpeg_keeps_every_pixel_and_nothing_else(mode, options):
    data = encoded(picture(mode), exif=secretive(), icc_profile=b"SECRET" * 50, xmp=b"SECRET", **options) + b"SECRET"
    assert data.count(b"SECRET") > 10
    clean = upright_jpeg(data)
    assert b"SECRET" not in clean
    assert (pixels(clean) == pixels(data)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(orientation):
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 10))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = image.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else image
    clean = pixels(upright_jpeg(encoded(stored, exif=secretive(orientation), quality=95)))
    assert clean.shape == (20, 40, 3)
    assert clean[2, 2].min() > 200
    assert clean[15, 35].max() < 50
    assert clean[2, 35].max() < 50


@pytest.mark.parametrize(
    "kind, mode", [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("JPEG", "CMYK")]
)
def test_everything_else_becomes_a_jpeg(kind, mode):
    image = Image.new("I;16", (40, 30), 4000) if mode == "I;16" else Image.new("RGB", (40, 30), "teal").convert(mode)
    clean = upright_jpeg(encoded(image, kind))
    assert Image.open(io.BytesIO(clean)).format == "JPEG"
    assert decoded_size(clean) == (40, 30)


def test_a_cut_picture_is_found():
    data = encoded(picture(size=(400, 300)))
    assert decoded_size(data) == (400, 300)
    with pytest.raises(Undecodable, match="truncated"):
        decoded_size(data[:-500])


@given(st.binary(max_size=200), st.integers(0, 600))
def test_broken_structures_are_refused_and_never_loop(junk, place):
    data = encoded(picture())
    for broken in (junk, data[:place], data[:place] + junk + data[place:]):
        try:
            strip_jpeg(broken)
        except CannotStrip:
            continue


def test_a_segment_that_is_not_understood_is_not_dropped_silently():
    data = encoded(picture())
    with pytest.raises(CannotStrip):
        strip_jpeg(data[:2] + b"\xff\xf0\x00\x04ab" + data[2:])
