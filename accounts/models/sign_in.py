"""Who may come in how: factors that a role needs, identities of other systems, groups that stand for roles."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.models.grant import Scope
from accounts.roles import Role


class SignInRule(models.Model):
    """What somebody who holds `role` anywhere has to sign in with. A role without a row needs a password only."""

    role = models.CharField(max_length=20, choices=Role.choices, primary_key=True)
    mfa_required = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="sign_in_rule_role_is_known"),
        ]

    def __str__(self) -> str:
        return str(self.get_role_display())


class Identity(models.Model):
    """A person as an identity provider knows him: its issuer and the subject that it calls him, and nothing else.

    Both stay the same when name or e-mail address change, and no one else is ever given them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="identities")
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    # The groups of the last sign-on. Somebody may be known to several providers, and each speaks for its own.
    groups = models.JSONField(default=list)
    linked_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("identities")
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.person} ({self.issuer})"


class GroupMapping(models.Model):
    """Members of `group` at the identity provider `issuer` hold `role` on the scope, from sign-on to sign-on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    issuer = models.CharField(max_length=300)
    group = models.CharField(max_length=255)
    role = models.CharField(max_length=20, choices=Role.choices)
    scope_type = models.CharField(max_length=10, choices=Scope.choices)
    scope_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="group_mapping_role_is_known"),
            models.CheckConstraint(
                condition=Q(scope_type=Scope.EVERYWHERE, scope_id=None)
                | Q(scope_type__in=[Scope.SITE, Scope.QUEUE], scope_id__isnull=False),
                name="group_mapping_scope_has_its_id",
            ),
            models.UniqueConstraint(
                fields=["issuer", "group", "role", "scope_type", "scope_id"],
                condition=Q(scope_id__isnull=False),
                name="group_mapping_once_per_scope",
            ),
            # NULL is equal to nothing, so the constraint above does not see two mappings everywhere.
            models.UniqueConstraint(
                fields=["issuer", "group", "role"],
                condition=Q(scope_type=Scope.EVERYWHERE),
                name="group_mapping_once_everywhere",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group} → {self.get_role_display()}"
