"""Odd pictures of a release are decoded in the child: what breaks there costs that picture and no worker."""

import os
import signal
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageFile

from review import decoding, images
from review.decoding import DecoderBroken
from review.models import Evidence, EvidenceState, ReleaseState
from review.releases import upright
from review.releases.build import build
from tests.review.releases.builders import Yard, jpeg


@pytest.fixture(autouse=True)
def in_a_child(settings: Any) -> Iterator[None]:
    settings.SECONDLOOK = settings.SECONDLOOK | {"DECODE_IN_CHILD": True}
    yield
    decoding._child.replace()


def bomb(side: int) -> bytes:
    """A PNG of `side` by `side` pixels in a few kilobytes: more than the child's memory bears, once decoded."""
    squeeze, lines = zlib.compressobj(9), []
    for _line in range(side):
        lines.append(squeeze.compress(bytes(1 + side * 4)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)),
            (b"IDAT", b"".join(lines) + squeeze.flush()),
            (b"IEND", b""),
        )
    )


def test_no_pixel_of_an_odd_picture_is_decoded_in_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_told: Any) -> None:
        raise AssertionError("decoded in this process")

    rotated = jpeg(7, exif=turned())
    monkeypatch.setattr(images, "upright", never)
    monkeypatch.setattr(ImageFile.ImageFile, "load", never)
    clean = upright.upright_jpeg(rotated)
    assert upright.decoded_size(clean) == (48, 64)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6
    return exif


def test_a_memory_bomb_fails_the_build_by_name_and_the_next_release_goes_without_it(yard: Yard) -> None:
    yard.outcome(camera="one", at=0)
    item = yard.outcome(camera="one", at=1, data=bomb(24_000), size=(64, 48))
    evidence = Evidence.objects.get(event_rows__event=item.event)
    release = build(yard.freeze().pk)
    assert release is not None
    assert release.state == ReleaseState.FAILED
    assert "Picture 1 " in release.failure
    evidence.refresh_from_db()
    assert evidence.state == EvidenceState.DAMAGED
    second = yard.built()
    assert second.state == ReleaseState.READY
    assert second.summary["excluded"] == {"evidence_damaged": 1}
    assert second.total == 1


def test_a_picture_that_kills_the_decoder_is_blamed_and_the_worker_lives(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.outcome(data=jpeg(7, exif=turned()))
    monkeypatch.setattr(decoding, "encode_upright", dies_unless_good)
    release = build(yard.freeze().pk)
    assert release is not None
    assert release.state == ReleaseState.FAILED
    assert "crashed" in Evidence.objects.get().damage


def dies_unless_good(data: bytes, quality: int) -> bytes:
    if data != decoding.good_picture():
        os.kill(os.getpid(), signal.SIGSEGV)
    return data


def test_a_decoder_that_decodes_nothing_blames_no_picture(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.outcome(data=jpeg(7, exif=turned()))
    monkeypatch.setattr(decoding, "encode_upright", dies_always)
    release = yard.freeze()
    with pytest.raises(DecoderBroken):
        build(release.pk)
    release.refresh_from_db()
    assert release.state == ReleaseState.BUILDING
    assert Evidence.objects.get().state == EvidenceState.STORED


def dies_always(data: bytes, quality: int) -> bytes:
    os.kill(os.getpid(), signal.SIGSEGV)
    return data
