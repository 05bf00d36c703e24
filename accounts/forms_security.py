"""Forms about how one signs in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.sign_in_forms import LONGEST_CODE, LONGEST_PASSWORD


class PasswordForm(forms.Form):
    """A new password, typed twice."""

    password = forms.CharField(
        max_length=LONGEST_PASSWORD,
        strip=False,
        label=_("New password"),
        help_text=_("At least 12 characters. Several words that only you put together are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        max_length=LONGEST_PASSWORD,
        strip=False,
        label=_("The same again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", _("The two are not the same."))
        return given


class LinkPasswordForm(PasswordForm):
    """A new password by a link that works once."""

    token = forms.CharField(
        max_length=200,
        label=_("Code from the link"),
        help_text=_("What stands behind # in the address of your link."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-from-address": ""}),
    )
    field_order = ("token", "username", "password", "again")


class JoinForm(LinkPasswordForm):
    """The own account, by an invitation."""

    username = forms.CharField(
        max_length=150,
        label=_("Sign-in name"),
        help_text=_("Letters, digits and . _ - @ +. You type it each time."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class AppForm(forms.Form):
    code = forms.CharField(
        max_length=LONGEST_CODE,
        label=_("Code that the app shows now"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyNameForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        required=False,
        label=_("What you call it"),
        help_text=_("Such as: phone, blue key."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    credential = forms.JSONField(widget=forms.HiddenInput)
