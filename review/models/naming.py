from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from accounts.ids import new_id
from inference.models import Camera, ModelVersion, Site

from .event import Event, ParkingCause


class NameMap(models.Model):
    """What a name that sources use stands for at a site: a camera, a model version, or a class of its taxonomies.

    A class may be said of one model only; that goes before what is said of all. Rows are never changed: another choice
    ends the row and begins a new one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="name_maps")
    cause = models.CharField(max_length=10, choices=ParkingCause.choices)
    # As it is parked: a camera's name, "name version" of a model, a class.
    value = models.CharField(max_length=200)
    # The model whose word it is; blank for the word of every model.
    model_name = models.CharField(max_length=100, blank=True)
    camera = models.ForeignKey(Camera, null=True, on_delete=models.PROTECT, related_name="+")
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    class_name = models.CharField(max_length=100, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "cause", "value", "model_name"],
                condition=Q(ended_at=None),
                name="name_stands_for_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(cause=ParkingCause.CAMERA, camera__isnull=False, model_version=None, class_name="")
                | Q(cause=ParkingCause.MODEL, camera=None, model_version__isnull=False, class_name="")
                | (Q(cause=ParkingCause.CLASS, camera=None, model_version=None) & ~Q(class_name="")),
                name="name_map_has_its_target",
            ),
            models.CheckConstraint(
                condition=Q(cause=ParkingCause.CLASS) | Q(model_name=""), name="only_classes_are_words_of_one_model"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cause} {self.value} -> {self.target}"

    @property
    def target(self) -> str:
        """What it stands for, as people read it."""
        if self.class_name and self.class_name == self.value:
            return gettext("left as it is")
        return str(self.camera or self.model_version or self.class_name)


class EventNames(models.Model):
    """What the names of a parked event turned out to stand for. The event itself stays as it was posted."""

    event = models.OneToOneField(Event, primary_key=True, on_delete=models.PROTECT, related_name="names")
    camera = models.ForeignKey(Camera, null=True, on_delete=models.PROTECT, related_name="named_events")
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "event names"

    def __str__(self) -> str:
        return f"names of {self.event_id}"
