import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.roles import Role


class Scope(models.TextChoices):
    EVERYWHERE = "everywhere", _("everywhere")
    SITE = "site", _("a site")
    QUEUE = "queue", _("a queue")


class Origin(models.TextChoices):
    PERSON = "person", _("a person")
    SINGLE_SIGN_ON = "sso", _("single sign-on")


class GrantQuerySet(models.QuerySet["Grant"]):
    def live(self, now: datetime) -> "GrantQuerySet":
        """Grants in force at `now`: neither taken back nor past their end."""
        return self.filter(revoked_at=None).filter(Q(ends_at=None) | Q(ends_at__gt=now))

    def administrators(self, now: datetime) -> "GrantQuerySet":
        """The grants that let an active person administer everything, with no end."""
        found = self.live(now).filter(role=Role.ADMINISTRATOR, scope_type=Scope.EVERYWHERE)
        return found.filter(ends_at=None, person__is_active=True)


class Grant(models.Model):
    """A role given to a person on a scope, with a reason and perhaps an end. The truth about rights.

    The scope is named by type and id, not by a foreign key: sites and queues belong to apps that stand above this one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    scope_type = models.CharField(max_length=10, choices=Scope.choices)
    scope_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    ends_at = models.DateTimeField(null=True, blank=True)
    # Grants of single sign-on end, and follow the groups at each sign-on; those that people gave stay.
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.PERSON)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="grant_role_is_known"),
            models.CheckConstraint(
                condition=Q(scope_type=Scope.EVERYWHERE, scope_id=None)
                | Q(scope_type__in=[Scope.SITE, Scope.QUEUE], scope_id__isnull=False),
                name="grant_scope_has_its_id",
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="grant_origin_is_known"),
            models.UniqueConstraint(
                fields=["person", "role", "scope_type", "scope_id"],
                condition=Q(revoked_at=None),
                name="grant_once_per_scope",
            ),
            # NULL is equal to nothing, so the constraint above does not see two grants everywhere.
            models.UniqueConstraint(
                fields=["person", "role"],
                condition=Q(revoked_at=None, scope_type=Scope.EVERYWHERE),
                name="grant_once_everywhere",
            ),
        ]
        indexes = [models.Index(fields=["person", "revoked_at"], name="grant_of_person")]

    def __str__(self) -> str:
        return f"{self.person} · {self.get_role_display()} · {self.get_scope_type_display()}"

    @property
    def scope_key(self) -> tuple[str, uuid.UUID | None]:
        return self.scope_type, self.scope_id

    @property
    def administers_everything(self) -> bool:
        """Whether this grant, while it is in force, is one of those of which one must always be left."""
        return self.role == Role.ADMINISTRATOR and self.scope_type == Scope.EVERYWHERE and self.ends_at is None
