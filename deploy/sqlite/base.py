"""Django's SQLite backend with a gate before each transaction.

SQLite lets one transaction write at a time, and who waits polls with growing sleeps. With eight threads that meant a
p95 of 880 ms for intake while the disk was idle. Here a thread waits for its turn at a lock of the process, and enters
the moment that the one before it has committed. Other processes (a command beside the server) still meet the file's
own lock, with the usual time-out.
"""

import threading
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

_gate = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Holds the gate from BEGIN IMMEDIATE until commit, rollback or close."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._holds_gate = False

    def get_new_connection(self, conn_params: Any) -> Any:
        """A connection where INSERT OR REPLACE fires the triggers of the row that it removes."""
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA recursive_triggers = ON")
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        self._enter_gate()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave_gate()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            # A commit that failed leaves the transaction open: the rollback that follows leaves the gate.
            if self.connection is None or not self.connection.in_transaction:
                self._leave_gate()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_gate()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._leave_gate()

    def _enter_gate(self) -> None:
        """Wait for the turn. Raises OperationalError after the time-out of the settings, as SQLite itself would."""
        if self._holds_gate:
            return
        timeout_s = float(self.settings_dict["OPTIONS"].get("timeout", 5))
        if not _gate.acquire(timeout=timeout_s):
            raise OperationalError("database is locked")
        self._holds_gate = True

    def _leave_gate(self) -> None:
        if self._holds_gate:
            self._holds_gate = False
            _gate.release()
