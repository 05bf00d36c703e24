"""What a request knows about itself, for log lines and audit entries. Never whose rights apply: those are passed."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    request_id: str = ""
    remote_addr: str | None = None


NOBODY = RequestContext()
CURRENT: ContextVar[RequestContext] = ContextVar("secondlook_request", default=NOBODY)
