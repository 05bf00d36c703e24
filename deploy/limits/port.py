"""A listening port that takes few connections in at a time. Import only after `daphne.server`."""

from typing import Any

from twisted.internet import defer, tcp
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer  # type: ignore[import-untyped, unused-ignore]

from deploy.listening import BACKLOG

AT_ONCE = 16
# Twisted's ports are half typed.
Port: Any = tcp.Port


class PacedPort(Port):  # type: ignore[misc]
    """Accepts at most `AT_ONCE` connections between two looks at the others.

    Twisted takes a hundred and more, and one that gives up its place for them keeps its file until the next look. So a
    crowd could use up the open files, whereupon Twisted closes whoever comes next, honest or not.
    """

    @property
    def numberAccepts(self) -> int:  # noqa: N802
        return AT_ONCE

    @numberAccepts.setter
    def numberAccepts(self, wanted: int) -> None:  # noqa: N802
        """Twisted raises it when many come; we do not."""


@implementer(IStreamServerEndpoint)
class PacedEndpoint:
    """An address to listen on, under TLS when it is given `certificates`."""

    def __init__(self, reactor: Any, host: str, port: int, certificates: Any = None) -> None:
        self.reactor, self.host, self.port, self.certificates = reactor, host, port, certificates

    def listen(self, factory: Any) -> Any:
        return defer.execute(self.listen_now, factory)

    def listen_now(self, factory: Any) -> Any:
        if self.certificates is not None:
            factory = TLSMemoryBIOFactory(self.certificates, False, factory)
        port = PacedPort(self.port, factory, BACKLOG, self.host, self.reactor)
        port.startListening()
        return port
