"""Forms of the review pages: they read and check what was typed; the actions hold the rules."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.actions.openings import LONGEST_REASON
from review.actions.policies import BandChange
from review.models import Queue


class BandForm(forms.Form):
    """The review bands of a policy: `low-<i>` and `high-<i>` per row, a reason, and the version that was looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=300, label=_("Why"), error_messages={"required": _("Say why the bands change.")}
    )

    def __init__(self, rows: list[dict[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        for number, row in enumerate(rows):
            for side in ("low", "high"):
                self.fields[f"{side}-{number}"] = forms.FloatField(
                    min_value=0, max_value=1, initial=row[side], label=f"{row['class_name']} {side}"
                )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for number, row in enumerate(self.rows):
            low, high = data.get(f"low-{number}"), data.get(f"high-{number}")
            if low is None or high is None:
                continue
            if low > high:
                self.add_error(f"low-{number}", _("The lower end lies above the upper one."))
            floor = row["floor"]
            if floor is not None and low < floor and (low, high) != (row["low"], row["high"]):
                message = _("%(source)s reports nothing below %(floor).2f; a band cannot begin at %(low).2f.")
                self.add_error(f"low-{number}", message % {"source": row["floor_source"], "floor": floor, "low": low})
        return data

    def changes(self) -> list[BandChange]:
        """The rows that differ from what is live."""
        found = []
        for number, row in enumerate(self.rows):
            low, high = self.cleaned_data[f"low-{number}"], self.cleaned_data[f"high-{number}"]
            if (low, high) != (row["low"], row["high"]):
                found.append(BandChange(row["rule_key"], row["class_key"], low, high))
        return found


class ReleaseForm(forms.Form):
    """What a release is made of."""

    queues: forms.ModelMultipleChoiceField[Queue] = forms.ModelMultipleChoiceField(
        queryset=None, widget=forms.CheckboxSelectMultiple, label=_("Queues")
    )
    since = forms.DateField(required=False, label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))
    name = forms.CharField(required=False, max_length=120, label=_("Name"))

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["queues"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = queues

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("The end lies before the beginning."))
        if len({queue.site_id for queue in data.get("queues") or []}) > 1:
            self.add_error("queues", _("Choose queues of one site."))
        return data


class OpeningForm(forms.Form):
    """Why somebody needs to see an event, and whether the others of its site as well."""

    EVENT, SITE = "event", "site"
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        label=_("Why do you need to see it?"),
        error_messages={"required": _("Say why you need to see this.")},
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    what = forms.ChoiceField(
        choices=[(EVENT, _("this event")), (SITE, _("all events of its site"))], label=_("What to open"), initial=EVENT
    )
