from django.db import models
from django.utils.translation import gettext_lazy as _

from inference.models import Site

from .evidence import Evidence


class FileRound(models.Model):
    """One pass over all stored files, done in slices: `step` and `after` are how far it has come."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=20)
    # The key of the last row that was looked at; empty at the beginning of a step.
    after = models.CharField(max_length=40, blank=True)
    files = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    missing = models.PositiveBigIntegerField(default=0)
    damaged = models.PositiveBigIntegerField(default=0)
    mended = models.PositiveBigIntegerField(default=0)
    # Names of the first files that were not what they should be.
    found = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d} {self.step}"


class FileDamageQuerySet(models.QuerySet["FileDamage"]):
    def unseen(self) -> "FileDamageQuerySet":
        """What nobody has looked after yet."""
        return self.filter(seen_at=None)


class FileDamage(models.Model):
    """A stored file that is not what it should be, until a check finds it whole again."""

    # As in the file store: the site and the digest of an original, or the release and the file's name.
    name = models.CharField(max_length=400, unique=True)
    problem = models.CharField(max_length=200)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, null=True, related_name="+")

    objects = FileDamageQuerySet.as_manager()

    class Meta:
        verbose_name = _("damaged file")
        verbose_name_plural = _("damaged files")

    def __str__(self) -> str:
        return self.name
