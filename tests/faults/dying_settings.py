"""The embedded server, which dies where a request tells it to; only ever used by the tests beside it."""

from deploy.settings.embedded import *  # noqa: F403
from deploy.settings.embedded import MIDDLEWARE

MIDDLEWARE = ["tests.faults.dying.DyingMiddleware", *MIDDLEWARE]
