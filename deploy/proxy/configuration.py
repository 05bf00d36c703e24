"""The proxy's configuration with its places filled in."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from deploy.limits.bodies import BATCH, BodyLimits

TEMPLATE = Path(__file__).parent / "nginx.conf"
PREFIX = "/_files/"


@dataclass(frozen=True)
class Proxy:
    """Where the proxy listens, finds its files, and passes requests on."""

    listen: str
    names: tuple[str, ...]
    certificate: Path
    key: Path
    run: Path
    media: Path
    pages_port: int
    api_port: int
    limits: BodyLimits

    def text(self) -> str:
        """nginx's configuration. Raises KeyError for a word of the template that nobody fills."""
        words = {
            # Started by root, nginx would give its workers to somebody who cannot read the files.
            "USER": "user root;" if os.geteuid() == 0 else "",
            "RUN": str(self.run),
            "LISTEN": self.listen,
            "NAMES": " ".join(self.names),
            "CERTIFICATE": str(self.certificate),
            "KEY": str(self.key),
            "MEDIA": str(self.media),
            "PREFIX": PREFIX,
            "PAGES_PORT": str(self.pages_port),
            "API_PORT": str(self.api_port),
            "MOST_EVENT": str(self.limits.largest),
            "MOST_BATCH": str(BATCH),
            "MOST_UPLOAD": str(self.limits.upload),
            "MOST_PICTURE": str(self.limits.picture),
        }
        return re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], TEMPLATE.read_text(encoding="utf-8"))
