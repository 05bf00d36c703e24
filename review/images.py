"""Pictures from outside: what they are is read from their bytes, and bounded before anything is decoded."""

import io
import warnings
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.exceptions import Invalid, SecondLookError

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
ORIENTATION = 0x0112
SIDEWAYS = {5, 6, 7, 8}
# The decoder's own limit warns only; ours is checked from the header before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


class UnsupportedType(SecondLookError):
    status, code, title = 415, "unsupported_type", _("Only JPEG, PNG and WebP pictures are taken.")


class TooLarge(SecondLookError):
    status, code, title = 413, "too_large", _("The file is larger than this server takes.")


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
            return Image.open(io.BytesIO(data), formats=list(FORMATS))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise UnsupportedType from error


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
        orientation = picture.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError) as error:
        raise Invalid(_("The header of the picture cannot be read."), code="bad_picture") from error
    if orientation in SIDEWAYS:
        width, height = height, width
    return PictureFacts(FORMATS[picture.format or ""], width, height)


def upright(data: bytes) -> Image.Image:
    """Decode to an upright RGB picture without metadata. Raises OSError or ValueError when the bytes are damaged."""
    picture = open_picture(data)
    picture.load()
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in {"I", "I;16", "F"}:
        low, high = (float(value) for value in turned.getextrema())
        span = (high - low) or 1.0
        turned = turned.convert("F").point(lambda value: (value - low) * (255.0 / span))
        turned = turned.convert("L")
    return turned.convert("RGB")


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
