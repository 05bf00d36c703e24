from typing import Any, ClassVar, NoReturn
from uuid import UUID

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q, Subquery, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict
from accounts.ids import new_id


def refuse_deletion() -> NoReturn:
    """Names in old records stay: verdicts and audit entries point at people."""
    raise Conflict(_("People are deactivated, never deleted."), code="people_stay")


LABEL = Lower(Coalesce(NullIf("name", Value("")), "username"))


class PersonQuerySet(models.QuerySet["User"]):
    def by_name(self) -> "PersonQuerySet":
        """In the order of the names that pages show (`label`), the same name in a fixed order."""
        return self.annotate(label=LABEL).order_by("label", "public_id")

    def after(self, public_id: UUID) -> "PersonQuerySet":
        """Those that stand behind this person in the order of `by_name`; nobody when there is no such person."""
        last = User.objects.filter(public_id=public_id).annotate(label=LABEL).values_list("label", flat=True)[:1]
        behind = Q(label__gt=Subquery(last)) | Q(label=Subquery(last), public_id__gt=public_id)
        return self.filter(behind)

    def called(self, text: str) -> "PersonQuerySet":
        """Those with `text` in the name or the sign-in name."""
        return self.filter(Q(name__icontains=text) | Q(username__icontains=text))

    def delete(self) -> NoReturn:
        refuse_deletion()


class PersonManager(UserManager["User"]):
    use_in_migrations = False

    def get_queryset(self) -> PersonQuerySet:
        return PersonQuerySet(self.model, using=self._db)

    def by_name(self) -> PersonQuerySet:
        return self.get_queryset().by_name()


class User(AbstractUser):
    """A person. Never deleted, only deactivated: verdicts and audit entries point here."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    # What addresses and answers call a person; the number counts people, and stays inside.
    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=150, blank=True)

    objects: ClassVar[PersonManager] = PersonManager()

    # Derived from the roles and the rules of sign-in, so that no request asks the database.
    needs_factor = models.BooleanField(default=False, editable=False)

    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        # Sign-in finds names whatever their case, so two that differ in nothing else would be one.
        constraints = [models.UniqueConstraint(Lower("username"), name="username_once_whatever_its_case")]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def audit_subject(self) -> UUID:
        """Whose story entries about this account belong to."""
        return self.public_id

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.username

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse_deletion()
