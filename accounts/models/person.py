from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id


class User(AbstractUser):
    """A person. Never deleted, only deactivated: verdicts and audit entries point here."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    # What addresses and answers call a person; the number counts people, and stays inside.
    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=150, blank=True)

    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.username
