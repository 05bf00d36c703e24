"""Whether events are posted at all: demo footage must not fill a queue that nobody empties."""

import threading
from collections.abc import Callable

from inference.edge import log


class Gate:
    """Closed while the server holds `limit` open items of this source or more; what waits here counts too.

    Without a limit, or with a server that does not tell, it is always open.
    """

    def __init__(self, limit: int | None, waiting: Callable[[], int]) -> None:
        self.skipped = 0
        self._limit = limit
        self._waiting = waiting
        self._lock = threading.Lock()
        self._open_items: int | None = 0
        self._was_closed = False

    @property
    def limited(self) -> bool:
        """Whether there is anything to ask the server for."""
        return self._limit is not None

    def told(self, open_items: int | None) -> None:
        """What the server says; None when it does not know the question."""
        with self._lock:
            self._open_items = open_items

    def closed(self) -> bool:
        """Whether to hold back now; a change is logged once."""
        if self._limit is None:
            return False
        with self._lock:
            told = self._open_items
        total = 0 if told is None else told + self._waiting()
        closed = told is not None and total >= self._limit
        if closed != self._was_closed:
            self._was_closed = closed
            log.write("posting_paused" if closed else "posting_continued", open_items=total, limit=self._limit)
        return closed
