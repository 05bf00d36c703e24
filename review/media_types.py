"""Evidence from outside, picture or clip: what it is, read from its bytes and bounded before anything is decoded."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from review import clips, images

TAKEN = frozenset(images.FORMATS.values()) | clips.TYPES
ONLY_THESE = _("Only JPEG, PNG and WebP pictures, and MP4 and WebM clips are taken.")


@dataclass(frozen=True, slots=True)
class Facts:
    """Type by content, upright size in pixels, and the length in seconds of a clip (None for a picture)."""

    content_type: str
    width: int
    height: int
    duration_s: float | None = None


def require_taken(content_type: str) -> None:
    """Raise UnsupportedType for a type that is never taken."""
    if content_type not in TAKEN:
        raise images.UnsupportedType(ONLY_THESE)


def inspect(data: bytes) -> Facts:
    """Read the header. Raises UnsupportedType (415), or Invalid (422) as `images.inspect` and `clips.inspect` do."""
    limits = settings.SECONDLOOK
    if not clips.is_clip(data):
        picture = images.inspect(data, max_pixels=limits["MAX_PIXELS"])
        return Facts(picture.content_type, picture.width, picture.height)
    bounds = clips.ClipLimits(
        pixels=limits["MAX_CLIP_PIXELS"], seconds=limits["MAX_CLIP_SECONDS"], frames=limits["MAX_CLIP_FRAMES"]
    )
    clip = clips.inspect(data, bounds)
    return Facts(clip.content_type, clip.width, clip.height, clip.duration_s)
