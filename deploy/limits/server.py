"""Daphne with bounds."""

from typing import Any

# First of all: it chooses Twisted's reactor.
from daphne import server as daphne_server  # isort: skip
from django.conf import settings
from twisted.internet import task

from deploy.limits.channel import LimitedFactory, LimitedSocketFactory
from deploy.limits.doorkeeper import Doorkeeper

LOOK_S = 1.0


def with_bounds(**options: Any) -> Any:
    """A Daphne server whose connections are bounded by the settings. Call `run` on it."""
    keeper = Doorkeeper.of(settings.SECONDLOOK)
    # The server makes its factories by these names, and has no other place to say which.
    daphne_server.HTTPFactory = type("Factory", (LimitedFactory,), {"keeper": keeper})
    daphne_server.WebSocketFactory = LimitedSocketFactory
    looking = task.LoopingCall(keeper.look)
    daphne_server.reactor.callWhenRunning(looking.start, LOOK_S)
    return daphne_server.Server(**options)
