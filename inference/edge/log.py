"""JSON lines on stderr, written by a thread of their own: whoever reads the pipe slowly delays nobody."""

import json
import logging
import logging.handlers
import queue
import sys
from datetime import UTC, datetime
from typing import Any

_LOGGER = logging.getLogger("secondlook.edge")
# Whoever uses the agent as a library and starts no log gets no lines on stderr.
_LOGGER.addHandler(logging.NullHandler())
_FIELDS = "edge_fields"


def write(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """One line: `event` is a stable word, the fields are data. Never pass a token."""
    _LOGGER.log(level, event, extra={_FIELDS: fields})


def warn(event: str, **fields: Any) -> None:
    """As `write`, for what somebody should look at."""
    write(event, level=logging.WARNING, **fields)


def start(level: str = "info") -> logging.handlers.QueueListener:
    """Send lines to stderr until the listener returned is stopped, which writes what is left."""
    lines: queue.Queue[logging.LogRecord] = queue.Queue(maxsize=1000)
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JsonFormatter())
    listener = logging.handlers.QueueListener(lines, output)
    _LOGGER.handlers = [_Dropping(lines)]
    _LOGGER.setLevel(level.upper())
    _LOGGER.propagate = False
    listener.start()
    return listener


class JsonFormatter(logging.Formatter):
    """`{"at", "level", "event", ...fields}`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line.update(getattr(record, _FIELDS, {}))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Dropping(logging.handlers.QueueHandler):
    """Drops a line rather than wait when the reader is slow."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name is logging's
        if not isinstance(sys.exception(), queue.Full):
            super().handleError(record)
