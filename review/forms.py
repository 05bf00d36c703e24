"""Forms of the review pages: they read and check what was typed; the actions hold the rules."""

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from inference.models import ModelVersion, Site
from review.actions.openings import LONGEST_REASON
from review.actions.policies import BandChange
from review.actions.taxonomies import KEYS, LONGEST_NAME, lines_of
from review.models import PALETTE, Queue


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


class TaxonomyForm(forms.Form):
    """A new taxonomy: its classes typed or pasted, one to a line, or those of a model version."""

    site: forms.ModelChoiceField[Site] = forms.ModelChoiceField(queryset=None, empty_label=None, label=_("Site"))
    name = forms.CharField(max_length=120, label=_("Name"))
    classes = forms.CharField(
        required=False,
        max_length=200_000,
        label=_("Classes, one to a line"),
        help_text=_("Their order gives the permanent indexes: for YOLO and COCO, as the model numbers them."),
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    model: forms.ModelChoiceField[ModelVersion] = forms.ModelChoiceField(
        queryset=None, required=False, empty_label=_("none"), label=_("Or take them from a model version")
    )

    def __init__(self, sites: Any, versions: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("site", sites), ("model", versions)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        wanted, model = lines_of(data.get("classes") or ""), data.get("model")
        if model and data.get("site") and model.site_id != data["site"].pk:
            self.add_error("model", _("Choose a model version of the same site."))
        if model and not wanted:
            wanted = lines_of("\n".join(str(name) for name in model.classes))
        if not wanted and not self.errors:
            self.add_error("classes", _("Name at least one class."))
        return data | {"wanted": wanted, "slug": slugify(data.get("name", ""))[:60] or "taxonomy"}


class ClassForm(forms.Form):
    """What can be changed of a class; its index never can."""

    CHANGE, RETIRE, RESTORE = "change", "retire", "restore"
    class_id = forms.IntegerField(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    act = forms.ChoiceField(
        choices=[(CHANGE, ""), (RETIRE, ""), (RESTORE, "")], initial=CHANGE, widget=forms.HiddenInput
    )
    name = forms.CharField(required=False, max_length=LONGEST_NAME, label=_("Name"))
    key = forms.ChoiceField(required=False, choices=[("", "–"), *((key, key) for key in KEYS)], label=_("Key"))
    colour = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("by index")), *((str(one), str(one)) for one in range(1, PALETTE + 1))],
        label=_("Colour"),
    )


class GuideForm(forms.Form):
    """The text of a guide, and the version that was looked at."""

    looked_at = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    text = forms.CharField(
        required=False,
        max_length=20_000,
        label=_("Text"),
        help_text=_("An empty line begins a paragraph; lines that begin with - are a list."),
        widget=forms.Textarea(attrs={"rows": 12}),
    )


class ExampleForm(forms.Form):
    """An event as an example: in which guide, of which class, which part of the picture."""

    GOOD, COUNTER = "good", "counter"
    queue = forms.UUIDField()
    shows = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    prediction = forms.CharField(required=False, max_length=60)
    kind = forms.ChoiceField(choices=[(GOOD, ""), (COUNTER, "")])
    caption = forms.CharField(required=False, max_length=300)
