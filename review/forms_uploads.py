"""The form that begins an upload: where the pictures are from, and what came with them."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from inference.models import Camera, Site
from inference.models.registry import Task
from review.actions.uploads import Wishes
from review.models import EventKind
from review.models.upload import NOTE_LETTERS
from review.uploads.predictions import Faulty
from review.uploads.predictions.classes import read_classes

PHOTOS, PREDICTIONS = "photos", "predictions"
MOST_CAMERAS = 500


class SiteCameraField(forms.ModelChoiceField[Camera]):
    """Cameras by name, with their site where there are several."""

    several_sites = False

    def label_from_instance(self, obj: Camera) -> str:
        return f"{obj.site.name}: {obj.name}" if self.several_sites else obj.name


class UploadForm(forms.Form):
    """Site, camera, note; and for pictures with predictions the model that made them."""

    site: forms.ModelChoiceField[Site] = forms.ModelChoiceField(None, label=_("Site"), empty_label=None)
    camera = SiteCameraField(None, required=False, label=_("Camera"), empty_label=_("no fixed camera"))
    note = forms.CharField(required=False, max_length=NOTE_LETTERS, label=_("Note"))
    what = forms.ChoiceField(
        choices=[(PHOTOS, _("photos that a person took")), (PREDICTIONS, _("pictures with a model's predictions"))],
        widget=forms.RadioSelect,
        initial=PHOTOS,
        required=False,
        label=_("What is it?"),
    )
    model_name = forms.CharField(required=False, max_length=100, label=_("Model"))
    model_version = forms.CharField(required=False, max_length=60, label=_("Version"))
    task = forms.ChoiceField(choices=Task.choices, initial=Task.DETECTION, required=False, label=_("Task"))
    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in EventKind],
        initial=EventKind.SAMPLE,
        required=False,
        label=_("Why are they here?"),
    )
    reporting_floor = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        label=_("Reporting floor"),
        help_text=_("The confidence below which the model's predictions are not in the files."),
    )
    confidence = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        label=_("Confidence where a file has none"),
        help_text=_("Left empty, such a line is a fault."),
    )
    classes = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("Names of classes 0, 1, 2, …"),
        help_text=_("One per line. Not needed for COCO, or with a classes.txt or data.yaml among the files."),
    )
    empty_without_file = forms.BooleanField(
        required=False, label=_("On pictures without predictions the model saw nothing")
    )

    def __init__(self, sites: QuerySet[Site], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site, camera = self.fields["site"], self.fields["camera"]
        assert isinstance(site, forms.ModelChoiceField)
        assert isinstance(camera, SiteCameraField)
        site.queryset = sites.order_by("name")
        rows = Camera.objects.in_use().filter(site__in=sites)
        camera.queryset = rows.select_related("site").order_by("site__name", "name")
        self.sites = list(site.queryset)
        camera.several_sites = len(self.sites) > 1
        if len(self.sites) == 1:
            site.widget, site.initial = forms.HiddenInput(), self.sites[0].pk

    def clean_note(self) -> str:
        return " ".join("".join(char if char.isprintable() else " " for char in self.cleaned_data["note"]).split())

    def clean_classes(self) -> list[str]:
        text = self.cleaned_data["classes"]
        if not text.strip():
            return []
        try:
            return read_classes("classes.txt", text.encode())
        except Faulty as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        camera, site = data.get("camera"), data.get("site")
        if camera is not None and site is not None and camera.site_id != site.pk:
            self.add_error("camera", _("This camera belongs to another site."))
        if data.get("what") == PREDICTIONS:
            for name in ("model_name", "model_version"):
                value = data[name] = " ".join((data.get(name) or "").split())
                if not value or not value.isprintable():
                    self.add_error(name, _("Say which model made the predictions, and its version."))
        return data

    def wishes(self) -> Wishes:
        data = self.cleaned_data
        if data["what"] != PREDICTIONS:
            return Wishes(task=data["task"] or Task.DETECTION, note=data["note"])
        return Wishes(
            task=data["task"] or Task.DETECTION,
            kind=data["kind"] or EventKind.SAMPLE,
            model_name=data["model_name"],
            model_version_name=data["model_version"],
            reporting_floor=data["reporting_floor"],
            confidence=data["confidence"],
            empty_without_file=data["empty_without_file"],
            classes=data["classes"],
            note=data["note"],
        )
