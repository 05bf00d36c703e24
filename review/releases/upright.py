"""Pictures as a release gives them out: full size, upright, JPEG, without any metadata.

Segments are copied here; whatever decodes a pixel happens in the decoding child.
"""

import re
from collections.abc import Iterator

from review.decoding import coded_size, upright_copy
from review.images import ORIENTATION, open_picture

QUALITY = 95
# Markers of ITU-T T.81 (JPEG), table B.1.
SOI, EOI, SOS, APP0, APP14, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xEE, 0xFE
APPLICATION = range(0xE0, 0xF0)
TABLES_AND_FRAMES = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, SOS}
# Within coded data FF is followed by 00 (a stuffed byte) or a restart marker; anything else ends the scan.
SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
PLAIN_JFIF = 14


class CannotStrip(Exception):
    """The JPEG has a structure that is not copied segment by segment; it has to be encoded anew."""


def upright_jpeg(data: bytes) -> bytes:
    """`data` (JPEG, PNG or WebP) as a JPEG that is upright and says nothing but its pixels.

    A JPEG that is upright already keeps its coded data bit for bit and loses only its metadata; everything else is
    decoded, turned and encoded at quality 95 without chroma subsampling. Raises OSError, ValueError or UnsupportedType
    when the bytes are damaged, or more than the decoder bears; DecoderBroken when no picture can be decoded here.
    """
    picture = open_picture(data)
    if picture.format == "JPEG" and picture.mode in {"L", "RGB"} and picture.getexif().get(ORIENTATION, 1) == 1:
        try:
            return strip_jpeg(data)
        except CannotStrip:
            pass
    return upright_copy(data, QUALITY)


def strip_jpeg(data: bytes) -> bytes:
    """A JPEG without comments, application data (EXIF, XMP, ICC, previews) and bytes after its end.

    Only the plain JFIF and Adobe headers stay, because they say how colours are coded. Raises CannotStrip.
    """
    out = bytearray(b"\xff\xd8")
    for marker, segment in segments(data):
        if marker == APP0 and segment[4:9] == b"JFIF\x00" and len(segment) >= 2 + PLAIN_JFIF:
            out += b"\xff\xe0\x00\x10" + segment[4:16] + b"\x00\x00"
        elif marker in TABLES_AND_FRAMES or (marker == APP14 and segment[4:9] == b"Adobe" and len(segment) == 16):
            out += segment
        elif marker not in APPLICATION and marker != COM:
            raise CannotStrip
    return bytes(out + b"\xff\xd9")


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments between SOI and EOI with their markers; a scan's coded data belongs to its SOS segment.

    Raises CannotStrip when the structure breaks off or is not understood.
    """
    if data[:2] != b"\xff\xd8":
        raise CannotStrip
    place = 2
    while True:
        while data[place : place + 2] == b"\xff\xff":
            place += 1
        if data[place : place + 2] == bytes([0xFF, EOI]):
            return
        if len(data) < place + 4 or data[place] != 0xFF:
            raise CannotStrip
        marker = data[place + 1]
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4])
        if marker == SOS:
            found = SCAN_END.search(data, end)
            if found is None:
                raise CannotStrip
            end = found.start()
        yield marker, data[place:end]
        place = end


def decoded_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a JPEG whose coded data is read to its end.

    Raises OSError, ValueError or UnsupportedType when the bytes are damaged.
    """
    return coded_size(data)
