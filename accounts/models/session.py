from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

BROWSER_LENGTH = 300


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self, now: datetime) -> "SessionQuerySet":
        """Sessions that still let their person in."""
        return self.filter(expire_date__gt=now)


class Session(AbstractBaseSession):
    """One browser of one person. Unlike Django's own table it knows whose it is, so that all of somebody's can end.

    `person` is empty until somebody signs in. `seen_at` is exact to a minute.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="browser_sessions"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=BROWSER_LENGTH, blank=True)

    objects = BaseSessionManager.from_queryset(SessionQuerySet)()  # type: ignore[misc]

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return str(self.person) if self.person else str(_("nobody"))

    @classmethod
    def get_session_store_class(cls) -> Any:
        from accounts.session_store import SessionStore

        return SessionStore
