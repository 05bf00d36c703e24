"""An anchor that is somebody's web address: the note is posted there."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from accounts.anchors.interface import AnchorFailed, Mark

TIMEOUT_S = 3.0


@dataclass(frozen=True)
class WebhookAnchor:
    url: str

    @property
    def name(self) -> str:
        """Without what may be secret: user, password, query."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    @property
    def beside_data(self) -> bool:
        return False

    def put(self, mark: Mark) -> str:
        """POST the note as plain text; only a 2xx counts, and no redirect is followed."""
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream(
                    "POST",
                    self.url,
                    content=mark.note.encode(),
                    headers={"content-type": "text/plain; charset=utf-8", "idempotency-key": mark.root.hex()},
                ) as answer,
            ):
                status = answer.status_code
        except httpx.HTTPError as error:
            raise AnchorFailed(f"It could not be reached: {type(error).__name__}.") from None
        if not 200 <= status < 300:
            raise AnchorFailed(f"It answered {status}.")
        return f"answered {status}"
