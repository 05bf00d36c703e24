"""Django's database sessions in a table that knows whose they are; the value of `SESSION_ENGINE`."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models import Session, User

KEPT = ("opened_at", "seen_at", "address", "browser")


class SessionStore(DatabaseStore):
    # What the table said when this session was read; a session that was never stored has none.
    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        self.row = self._get_session_from_db()  # type: ignore[attr-defined]
        return self.decode(self.row.session_data) if self.row else {}

    async def aload(self) -> dict[str, Any]:
        self.row = await self._aget_session_from_db()  # type: ignore[attr-defined]
        return self.decode(self.row.session_data) if self.row else {}

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        made: Session = super().create_model_instance(data)  # type: ignore[assignment]
        return self.completed(made, data)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        made: Session = await super().acreate_model_instance(data)  # type: ignore[assignment]
        return self.completed(made, data)

    def completed(self, made: Session, data: dict[str, Any]) -> Session:
        for column in KEPT if self.row else ():
            setattr(made, column, getattr(self.row, column))
        self.row = made
        made.person_id = User._meta.pk.to_python(data[SESSION_KEY]) if SESSION_KEY in data else None
        return made
