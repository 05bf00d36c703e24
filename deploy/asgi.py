"""ASGI entry: pages and API through Django, the live socket through Channels."""

import asyncio
import os
from typing import Any

from django import setup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.production")
setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from accounts import broadcast  # noqa: E402
from deploy.handler import OneThreadHandler  # noqa: E402
from deploy.origins import SameOrigin  # noqa: E402
from review.routes import websocket_urlpatterns  # noqa: E402

router = ProtocolTypeRouter(
    {
        "http": OneThreadHandler(),
        "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Route a connection. The first one tells the broadcasts which event loop the server runs on."""
    broadcast.server_loop = asyncio.get_running_loop()
    await router(scope, receive, send)
