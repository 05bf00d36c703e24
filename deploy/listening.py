"""Where the server listens. Importing this imports no reactor."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# A crowd that connects at once waits in the system's queue rather than to be sent away.
BACKLOG = 256


@dataclass(frozen=True)
class Files:
    """Where a certificate (with its chain) and its key lie."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Listening:
    """Addresses and port; with `tls` under TLS, then `names` are the certificate's, the best one first.

    `redirect_port` answers plain HTTP with where to go. `renew` is called now and then while the server runs.
    """

    hosts: tuple[str, ...]
    port: int
    tls: Files | None = None
    names: tuple[str, ...] = ()
    redirect_port: int | None = None
    renew: Callable[[], object] | None = None

    @property
    def address(self) -> str:
        """As people type it."""
        if self.tls is None:
            return f"http://localhost:{self.port}"
        return f"https://{self.names[0]}:{self.port}"
