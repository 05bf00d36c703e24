"""How many bytes of body a path may have, known before the first of them is read."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
# As many pictures as one event may bring, and room for the parts' headers: as `review.api.bodies` counts.
PICTURES = 10
ENVELOPE = 100_000
BATCH = 20_000_000
ORDINARY = 1_000_000
SIGN_IN = 64 * 1024
API = b"/api/v1/"
UPLOADS = b"/uploads/"
# Where people who have not signed in yet may post, and where they change how they sign in.
SIGN_IN_PATHS = (b"/accounts/", b"/me/", b"/lock/", b"/unlock/")


@dataclass(frozen=True)
class BodyLimits:
    """Bounds in bytes: one picture, the JSON of one event, and one archive of pictures."""

    picture: int
    event: int
    archive: int = ORDINARY

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "BodyLimits":
        return cls(
            picture=settings["MAX_EVIDENCE_BYTES"],
            event=settings["MAX_EVENT_BYTES"],
            archive=settings["UPLOAD_ARCHIVE_BYTES"],
        )

    @property
    def largest(self) -> int:
        return self.event + PICTURES * self.picture + ENVELOPE

    @property
    def upload(self) -> int:
        """A ZIP of pictures from a browser, or the files of one form."""
        return max(self.archive, self.picture) + ENVELOPE

    def most(self, method: bytes, path: bytes, *, credentials: bool, session: bool = False) -> int:
        """The bound for a request in bytes.

        A path that is written in an unusual way gets the ordinary bound, never a larger one; so does an upload that
        names no credentials (`session`: cookies, on pages), because it will be refused whatever it holds.
        """
        path = path.partition(b"?")[0]
        # The views see the path decoded; the larger bounds below are for the plain spelling only.
        if unquote_to_bytes(path).startswith(SIGN_IN_PATHS):
            return SIGN_IN
        if method == b"POST" and session and path.startswith(UPLOADS):
            return self.upload
        if not credentials or not path.startswith(API):
            return ORDINARY
        if method == b"POST" and path == API + b"events":
            return self.largest
        if method == b"POST" and path == API + b"events/batch":
            return BATCH
        if method == b"PUT" and path.startswith(API + b"evidence/"):
            return self.picture
        return max(ORDINARY, self.event)
