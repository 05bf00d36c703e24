import uuid
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict
from accounts.ids import new_id


def refuse_deletion() -> NoReturn:
    """Names in old records stay: verdicts and audit entries point at people."""
    raise Conflict(_("People are deactivated, never deleted."), code="people_stay")


class PersonQuerySet(models.QuerySet["User"]):
    def delete(self) -> NoReturn:
        refuse_deletion()


class PersonManager(UserManager["User"]):
    use_in_migrations = False

    def get_queryset(self) -> PersonQuerySet:
        return PersonQuerySet(self.model, using=self._db)


class User(AbstractUser):
    """A person. Never deleted, only deactivated: verdicts and audit entries point here."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    # What addresses and answers call a person; the number counts people, and stays inside.
    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=150, blank=True)

    objects: ClassVar[PersonManager] = PersonManager()

    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def audit_subject(self) -> uuid.UUID:
        """Whose story entries about this account belong to."""
        return self.public_id

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.username

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse_deletion()
