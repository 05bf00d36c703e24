"""Pictures from outside: what they are is read from their bytes, and bounded before anything is decoded."""

import io
import struct
import warnings
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from accounts.exceptions import Invalid, SecondLookError

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
ORIENTATION = 0x0112
SIDEWAYS = {5, 6, 7, 8}
# How a picture of each orientation is turned upright (Exif 3.0, 4.6.4, tag 0x0112).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow raises on bytes that are not what their header promises.
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError, struct.error)
# The decoder's own limit warns only; ours is checked from the header before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


class UnsupportedType(SecondLookError):
    status, code, title = 415, "unsupported_type", _("Content of this type is not taken here.")


# Said where a picture is meant; the error is also raised for bodies.
ONLY_PICTURES = _("Only JPEG, PNG and WebP pictures are taken.")


class TooLarge(SecondLookError):
    status, code, title = 413, "too_large", _("This is larger than this server takes.")


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a picture's header says: its type by content, and its upright size in pixels."""

    content_type: str
    width: int
    height: int


def open_picture(data: bytes) -> Image.Image:
    """Open without decoding. Raises UnsupportedType when the bytes are no JPEG, PNG or WebP."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=list(FORMATS))
    except (UnidentifiedImageError, *UNREADABLE) as error:
        raise UnsupportedType(ONLY_PICTURES) from error
    if picture.format not in FORMATS:
        # The JPEG reader hands files of several pictures (MPO) on to a format that nobody asked for.
        raise UnsupportedType(ONLY_PICTURES)
    return picture


def inspect(data: bytes, *, max_pixels: int) -> PictureFacts:
    """Read the header of a picture.

    Raises UnsupportedType (415), Invalid `too_many_pixels`, `animated` or `bad_picture` (422). Nothing is decoded.
    """
    picture = open_picture(data)
    try:
        width, height = picture.size
        if width * height > max_pixels:
            raise Invalid(
                _("The picture has %(have)d pixels; %(most)d are allowed.")
                % {"have": width * height, "most": max_pixels},
                code="too_many_pixels",
            )
        if getattr(picture, "n_frames", 1) > 1:
            raise Invalid(_("An animated picture is not taken; send one frame."), code="animated")
        orientation = orientation_of(picture)
    except UNREADABLE as error:
        raise Invalid(_("The header of the picture cannot be read."), code="bad_picture") from error
    if orientation in SIDEWAYS:
        width, height = height, width
    return PictureFacts(FORMATS[picture.format or ""], width, height)


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; anything else counts as upright."""
    value = picture.getexif().get(ORIENTATION, 1)
    return value if isinstance(value, int) and value in TURNS else 1


def upright(data: bytes) -> Image.Image:
    """Decode to an upright RGB picture without metadata.

    Raises ValueError when the bytes are damaged, and UnsupportedType when they are no picture that is taken.
    """
    picture = open_picture(data)
    try:
        orientation = orientation_of(picture)
        picture.load()
        return in_colour(picture.transpose(TURNS[orientation]) if orientation in TURNS else picture)
    except UNREADABLE as error:
        raise ValueError(f"it cannot be decoded: {error}") from error


def in_colour(picture: Image.Image) -> Image.Image:
    """Any mode as RGB; pictures of more than eight bits are stretched from their darkest to their brightest value."""
    if picture.mode in {"I", "I;16", "F"}:
        low, high = (float(value) for value in picture.getextrema())  # type: ignore[arg-type]
        span = (high - low) or 1.0
        picture = picture.convert("F").point(lambda value: (value - low) * (255.0 / span)).convert("L")
    return picture.convert("RGB")


def rendition(picture: Image.Image, longest_px: int, quality: int) -> bytes:
    """A JPEG of `picture` no longer than `longest_px` on either side, with no metadata at all."""
    copy = picture.copy()
    copy.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    clean = Image.new("RGB", copy.size)
    clean.paste(copy)
    clean.save(out, "JPEG", quality=quality, optimize=False, progressive=False)
    return out.getvalue()


def average_colour(picture: Image.Image) -> str:
    """The mean colour as `#rrggbb`."""
    red, green, blue = picture.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # type: ignore[misc]
    return f"#{red:02x}{green:02x}{blue:02x}"
