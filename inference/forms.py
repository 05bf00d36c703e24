"""Forms of the model's side: they read and check what was typed; the actions hold the rules."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from inference.models import Camera, Site

LONGEST_DAYS = 3650


class ConnectForm(forms.Form):
    """A new source: where it stands, which camera it speaks for, what it is called, and for how long it may post."""

    name = forms.CharField(
        max_length=100,
        label=_("Name"),
        help_text=_("So that you know it again: “gate PC”."),
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True}),
    )
    site = forms.ModelChoiceField(queryset=Site.objects.none(), label=_("Site"), empty_label=None)
    camera = forms.CharField(
        max_length=120,
        required=False,
        label=_("Camera (optional)"),
        help_text=_("One that is known, or a new name. Leave it empty when the source names a camera with each event."),
        widget=forms.TextInput({"list": "cameras", "autocomplete": "off"}),
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_DAYS,
        required=False,
        label=_("Days that its token works (optional)"),
        help_text=_("Empty: until somebody revokes it."),
        widget=forms.NumberInput({"autocomplete": "off"}),
    )

    def __init__(self, sites: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = sites

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def ends_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["days"]
        return now + timedelta(days=days) if days else None

    def camera_named(self) -> Camera | None:
        """The known camera of this short name or name at the chosen site."""
        typed = " ".join(self.cleaned_data["camera"].split())
        rows = Camera.objects.filter(site=self.cleaned_data["site"])
        return rows.filter(slug=typed).first() or rows.filter(name=typed).first()
