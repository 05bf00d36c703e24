from django.db import models
from django.db.models import Q

from accounts.ids import new_id
from inference.models import Site

PALETTE = 8


class Taxonomy(models.Model):
    """The classes that a queue's people may answer with."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="taxonomies")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    # Goes up with every change of its classes; verdicts record it.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "taxonomies"
        constraints = [models.UniqueConstraint(fields=["site", "slug"], name="taxonomy_slug_per_site")]

    def __str__(self) -> str:
        return self.name


class TaxonomyClass(models.Model):
    """A class with its permanent index; it may be renamed or retired, never deleted or re-ordered."""

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="classes")
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    # The digit that relabels to it on the desk, 1 to 9; empty for the rest, which are found by typing.
    key = models.CharField(max_length=1, blank=True)
    # A place in the palette of the desk, 1 to 8; without one the index says it.
    colour = models.PositiveSmallIntegerField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["index"]
        verbose_name_plural = "taxonomy classes"
        constraints = [
            models.UniqueConstraint(fields=["taxonomy", "index"], name="class_index_is_permanent"),
            models.UniqueConstraint(fields=["taxonomy", "name"], name="class_name_per_taxonomy"),
            models.UniqueConstraint(fields=["taxonomy", "key"], condition=~Q(key=""), name="class_key_per_taxonomy"),
            models.CheckConstraint(condition=Q(colour=None) | Q(colour__range=(1, 8)), name="class_colour_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> int:
        """Its place in the palette."""
        return self.colour or self.index % PALETTE + 1


class FormerName(models.Model):
    """A name that a class had. It stays the class's own: old labels are read by it, and no other class may take it."""

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="former_names")
    named = models.ForeignKey(TaxonomyClass, on_delete=models.PROTECT, related_name="former_names")
    name = models.CharField(max_length=100)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["taxonomy", "name"], name="former_name_has_one_class")]

    def __str__(self) -> str:
        return f"{self.name}, now {self.named_id}"
