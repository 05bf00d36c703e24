"""Forms about people, their roles and their tokens."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.actions.grants import Wanted
from accounts.actions.tokens import LONGEST, USUAL
from accounts.models import Grant, PersonalToken, User
from accounts.models.grant import Scope
from accounts.models.token import SCOPE_WORDS
from accounts.reasons import LONGEST as REASON_LENGTH
from accounts.roles import Role
from accounts.scopes import Named


class Until(TextChoices):
    """How long a role is given for, in the words of people who hand it out."""

    NO_END = "", _("no end")
    SHIFT = "shift", _("this shift (8 hours)")
    WEEK = "week", _("7 days")
    DATE = "date", _("until the date below")


LASTS = {Until.SHIFT: timedelta(hours=8), Until.WEEK: timedelta(days=7)}


class RoleForm(forms.Form):
    """A role on a scope, until when, and why. `scopes` and `roles` are those that the giver may choose from."""

    role = forms.TypedChoiceField(coerce=Role, label=_("Role"))
    scope = forms.ChoiceField(label=_("Where"))
    until = forms.ChoiceField(choices=Until.choices, required=False, label=_("Until"))
    ends_at = forms.DateTimeField(
        required=False,
        label=_("Or until this date"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(max_length=REASON_LENGTH, label=_("Why"))

    def __init__(self, scopes: list[Named], roles: list[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("role", [(role.value, str(role.label)) for role in roles])
        self.offer("scope", [(scope.key, scope.name) for scope in scopes])

    def offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_scope(self) -> tuple[Scope, UUID | None]:
        kind, _colon, pk = self.cleaned_data["scope"].partition(":")
        return Scope(kind), UUID(pk) if pk else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        until, ends_at = Until(data.get("until", "")), data.get("ends_at")
        if until == Until.DATE and ends_at is None and "ends_at" not in self.errors:
            self.add_error("ends_at", _("Say which date."))
        if until in LASTS and ends_at is not None:
            self.add_error("until", _("Choose a length or a date, not both."))
        return data

    def wanted(self, now: datetime) -> Wanted:
        data = self.cleaned_data
        (scope, scope_id), lasts = data["scope"], LASTS.get(Until(data["until"]))
        return Wanted(data["role"], scope, scope_id, now + lasts if lasts else data["ends_at"])


class GrantForm(RoleForm):
    """The same for somebody who is named by the sign-in name."""

    person = forms.CharField(max_length=150, label=_("Person (sign-in name)"))
    field_order = ["person"]

    def clean_person(self) -> User:
        found = User.objects.filter(username=self.cleaned_data["person"], is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no active person with this sign-in name."))
        return found


class NewPersonForm(RoleForm):
    """A new account with its first role."""

    username = forms.CharField(
        max_length=150,
        label=_("Sign-in name"),
        validators=[User.username_validator],
        help_text=_("Letters, digits and @.+-_ only. It cannot be changed later."),
    )
    name = forms.CharField(max_length=150, label=_("Name"))
    field_order = ["username", "name"]


class TokenForm(forms.Form):
    """A personal token: what it is for, what it opens, and for how long."""

    name = forms.CharField(max_length=100, label=_("What for"), help_text=_("So that you know it again in a year."))
    scopes = forms.MultipleChoiceField(
        choices=[(scope, SCOPE_WORDS[scope]) for scope in PersonalToken.SCOPES],
        widget=forms.CheckboxSelectMultiple,
        label=_("What it may do"),
    )
    days = forms.IntegerField(
        min_value=1, max_value=LONGEST.days, initial=USUAL.days, label=_("Days"), help_text=_("At most 365.")
    )

    def ends_at(self, now: datetime) -> datetime:
        return now + timedelta(days=self.cleaned_data["days"])


def initial_of(grant: Grant) -> dict[str, Any]:
    """What a form that changes this grant starts with."""
    return {
        "role": grant.role,
        "scope": f"{grant.scope_type}:{grant.scope_id or ''}",
        "until": Until.DATE if grant.ends_at else Until.NO_END,
        "ends_at": grant.ends_at,
    }
