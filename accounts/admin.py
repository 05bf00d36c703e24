"""Support desk: people, grants and the audit trail."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import auditlog.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm, UsernameField
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import AuditEntry, Grant, User
from accounts.support import ReadOnly, may_look

# The modules above have registered theirs by now; what allows to edit or delete history is replaced or gone.
admin.site.unregister([AuditEntry, Authenticator, EmailAddress, Group])
# One way to sign in, with its limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


# What an audit entry may repeat of an account.
SHOWN = ["name", "email", "is_active", "is_staff", "is_superuser"]


class PersonForm(UserChangeForm):  # type: ignore[type-arg]
    """A person's account, without the switch: that is an action of the page People."""

    class Meta:
        model = User
        fields = ["username", "password", *SHOWN]
        field_classes = {"username": UsernameField}


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People can be added, renamed and given a new password; roles and the switch are on the page People."""

    form = PersonForm
    list_display = ["username", "name", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["username", "name"]
    filter_horizontal = []
    readonly_fields = ["is_active", "last_login", "date_joined", "groups"]
    fieldsets = [
        (None, {"fields": ["username", "password", "name", "email"]}),
        (_("Account"), {"fields": ["is_active", "is_staff", "is_superuser", "last_login", "date_joined"]}),
        (_("Roles, from grants"), {"fields": ["groups"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "name", "usable_password", "password1", "password2"]})]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_look(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_look(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_look(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_look(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        with transaction.atomic():
            obj.save()
            self.record(request, obj, "person.changed" if change else "person.created", sorted(form.changed_data))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                self.record(request, User.objects.get(pk=id), "person.changed", ["password"])
        return answer

    def record(self, request: HttpRequest, person: User, verb: str, fields: list[str]) -> None:
        """The entry names the fields, and of those that are no secret the values."""
        assert isinstance(request.user, User)
        values = {name: getattr(person, name) for name in fields if name in SHOWN}
        audit.record(verb, actor=request.user, on=person, username=person.username, fields=fields, values=values)


@admin.register(Grant)
class GrantAdmin(ReadOnly):
    list_display = ["person", "role", "scope_type", "scope_id", "ends_at", "revoked_at", "reason"]
    list_filter = ["role", "scope_type"]
    search_fields = ["person__username"]
    list_select_related = ["person"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["timestamp", "verb", "actor", "object_repr", "site_id", "cid"]
    list_filter = ["verb"]
    search_fields = ["object_pk", "cid", "actor__username"]
    list_select_related = ["actor"]


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnly):
    list_display = ["email", "user", "verified"]
