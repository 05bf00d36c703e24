"""Daphne with bounds, on plain or TLS ports."""

from typing import Any

# First of all: it chooses Twisted's reactor.
from daphne import server as daphne_server  # isort: skip
from django.conf import settings
from twisted.internet import endpoints as twisted_endpoints
from twisted.internet import task

from deploy.limits.channel import LimitedFactory, LimitedSocketFactory
from deploy.limits.doorkeeper import Doorkeeper
from deploy.listening import BACKLOG, Listening
from deploy.tls.listen import Certificates, ElsewhereFactory, tls_endpoint

# Twisted's endpoints are not typed.
twisted: Any = twisted_endpoints
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
        reactor.callWhenRunning(redirect, reactor, listening, server, keeper)
    if listening.renew:
        reactor.callWhenRunning(task.LoopingCall(listening.renew).start, RENEW_S)
    return server


def endpoints(reactor: Any, listening: Listening) -> dict[str, Any]:
    """Twisted's endpoint of each address, by a name for the log."""
    if listening.tls is None:
        return {text: twisted.serverFromString(reactor, text) for text in map(listening.plain, listening.hosts)}
    certificates = Certificates(listening.tls)
    return {
        f"tls:{host}:{listening.port}": tls_endpoint(reactor, certificates, host, listening.port)
        for host in listening.hosts
    }


def redirect(reactor: Any, listening: Listening, server: Any, keeper: Doorkeeper) -> None:
    factory = ElsewhereFactory(server, keeper, list(listening.names), listening.port)
    for host in listening.hosts:
        twisted.TCP4ServerEndpoint(reactor, listening.redirect_port, backlog=BACKLOG, interface=host).listen(factory)
