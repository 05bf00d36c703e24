from typing import Any

from django.db import models

from .taxonomy import TaxonomyClass


class ClassAttribute(models.Model):
    """What people say about a thing of a class besides its class: one of `values`, or yes or no when there are none.

    It may be retired, never deleted; values are added at the end, never taken away.
    """

    of = models.ForeignKey(TaxonomyClass, on_delete=models.PROTECT, related_name="attributes")
    name = models.CharField(max_length=60)
    values = models.JSONField(default=list)
    # Whether a label of the class is taken only with it.
    required = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["of", "name"], name="attribute_name_per_class")]

    def __str__(self) -> str:
        return self.name

    def takes(self, value: Any) -> bool:
        """Whether `value` is one of its values; only a boolean answers yes or no."""
        return value in self.values if self.values else isinstance(value, bool)
