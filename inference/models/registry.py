from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id

from .site import Site


class Task(models.TextChoices):
    CLASSIFICATION = "classification", _("classification")
    DETECTION = "detection", _("detection")
    SEGMENTATION = "segmentation", _("segmentation")


class ModelVersion(models.Model):
    """One immutable artefact of a model at a site, known by its digest once somebody attested it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="model_versions")
    name = models.CharField(max_length=100)
    version = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64, blank=True)
    task = models.CharField(max_length=20, choices=Task.choices, default=Task.DETECTION)
    classes = models.JSONField(default=list, blank=True)
    input = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "version"]
        constraints = [models.UniqueConstraint(fields=["site", "name", "version"], name="model_version_per_site")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
