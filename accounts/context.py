"""What a request knows about itself, for log lines and audit entries. Never whose rights apply: those are passed."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request, socket or command.

    `door` is page, api, socket or command. `memory` holds what was found out on the way and is worth not asking
    twice: the roles that the doors looked up, the session, the token. It ends with the request.
    """

    request_id: str = ""
    remote_addr: str | None = None
    door: str = "command"
    memory: dict[Any, Any] = field(default_factory=dict)


NOBODY = RequestContext()
CURRENT: ContextVar[RequestContext] = ContextVar("secondlook_request", default=NOBODY)


def remember(key: Any, value: Any) -> None:
    """Keep `value` for the rest of this request; outside of one there is nothing to keep it in."""
    context = CURRENT.get()
    if context is not NOBODY:
        context.memory[key] = value


def recall(key: Any) -> Any:
    """What `remember` kept in this request, or None."""
    return CURRENT.get().memory.get(key)
