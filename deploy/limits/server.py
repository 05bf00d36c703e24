"""Daphne with bounds, on plain or TLS ports."""

from typing import Any

# First of all: it chooses Twisted's reactor.
from daphne import server as daphne_server  # isort: skip
from django.conf import settings
from twisted.internet import task

from deploy.limits.channel import LimitedFactory, LimitedSocketFactory
from deploy.limits.doorkeeper import Doorkeeper
from deploy.limits.port import PacedEndpoint
from deploy.listening import Listening
from deploy.tls.listen import Certificates, ElsewhereFactory

LOOK_S = 1.0
RENEW_S = 3600.0


def with_bounds(listening: Listening, **options: Any) -> Any:
    """A Daphne server whose connections are bounded by the settings. Call `run` on it."""
    reactor, keeper = daphne_server.reactor, Doorkeeper.of(settings.SECONDLOOK)
    # The server makes its factories and endpoints by these names, and has no other place to say which.
    daphne_server.HTTPFactory = type("Factory", (LimitedFactory,), {"keeper": keeper})
    daphne_server.WebSocketFactory = LimitedSocketFactory
    places = endpoints(reactor, listening)
    daphne_server.serverFromString = lambda _reactor, name: places[name]
    server = daphne_server.Server(endpoints=list(places), **options)
    reactor.callWhenRunning(task.LoopingCall(keeper.look).start, LOOK_S)
    if listening.redirect_port:
        reactor.callWhenRunning(redirect, reactor, listening, listening.redirect_port, server, keeper)
    if listening.renew:
        reactor.callWhenRunning(task.LoopingCall(listening.renew).start, RENEW_S)
    return server


def endpoints(reactor: Any, listening: Listening) -> dict[str, PacedEndpoint]:
    """The endpoint of each address, by a name for the log."""
    certificates = Certificates(listening.tls) if listening.tls else None
    return {
        f"{'tls' if certificates else 'tcp'}:{host}:{listening.port}": PacedEndpoint(
            reactor, host.strip("[]"), listening.port, certificates
        )
        for host in listening.hosts
    }


def redirect(reactor: Any, listening: Listening, port: int, server: Any, keeper: Doorkeeper) -> None:
    factory = ElsewhereFactory(server, keeper, list(listening.names), listening.port)
    for host in listening.hosts:
        PacedEndpoint(reactor, host.strip("[]"), port).listen(factory)
