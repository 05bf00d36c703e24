from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.models.grant import Scope
from accounts.roles import Role


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, now: datetime) -> "InvitationQuerySet":
        """Links that still work at `now`."""
        return self.filter(used_at=None, revoked_at=None, ends_at__gt=now)


class Invitation(models.Model):
    """A link that works once: for a new person to make the account, or for `person` to set a new password.

    Only the SHA-256 of its token is kept; the token holds 256 random bits. An invitation names the person and the
    grant that he gets, and whoever made it must still be allowed to give that when the link is used.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    scope_type = models.CharField(max_length=10, choices=Scope.choices, blank=True)
    scope_id = models.UUIDField(null=True, blank=True)
    # Whose password the link resets; for an invitation, who came of it.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="invitations"
    )
    is_reset = models.BooleanField(default=False)
    token_hash = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_reset=True, person__isnull=False, role="")
                | Q(is_reset=False, role__in=Role.values, scope_type__in=Scope.values),
                name="invitation_is_for_a_role_or_a_reset",
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(used_at__isnull=False, person__isnull=False),
                name="invitation_used_by_somebody",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("made_at")), name="invitation_ends_after_it_was_made"),
        ]
        # The page lists the newest first.
        indexes = [models.Index(fields=["-made_at"], name="invitation_newest")]

    def __str__(self) -> str:
        return self.name

    def state(self, now: datetime) -> str:
        """`used`, `revoked`, `expired` or `open`."""
        if self.used_at:
            return "used"
        if self.revoked_at:
            return "revoked"
        return "open" if self.ends_at > now else "expired"

    STATES = {"used": _("used"), "revoked": _("revoked"), "expired": _("expired"), "open": _("open")}
