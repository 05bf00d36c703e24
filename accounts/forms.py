"""Forms about people."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.grant import Scope
from accounts.roles import Role
from accounts.scopes import Named


class GrantForm(forms.Form):
    """A role for a person on a scope. `scopes` are those that the giver may choose from."""

    person = forms.CharField(max_length=150, label=_("Person (sign-in name)"))
    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role, label=_("Role"))
    scope = forms.ChoiceField(label=_("Where"))
    reason = forms.CharField(max_length=300, label=_("Why"))
    ends_at = forms.DateTimeField(
        required=False,
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, scopes: list[Named], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scope"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(scope.key, scope.name) for scope in scopes]

    def clean_person(self) -> str:
        username: str = self.cleaned_data["person"]
        if not User.objects.filter(username=username, is_active=True).exists():
            raise forms.ValidationError(_("There is no active person with this sign-in name."))
        return username

    def clean_scope(self) -> tuple[Scope, UUID | None]:
        kind, _colon, pk = self.cleaned_data["scope"].partition(":")
        return Scope(kind), UUID(pk) if pk else None
