from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .source import Source


class CloneClue(models.TextChoices):
    BOOTS = "boots", _("two running devices take turns")
    SEQUENCE = "sequence", _("two events have one sequence number")


class PossibleClone(models.Model):
    """Two devices seem to post with one token. What they post is kept; somebody looks, and says what it was."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="possible_clones")
    clue = models.CharField(max_length=10, choices=CloneClue.choices)
    # The boot ids that were seen, at most two.
    boots = models.JSONField(default=list)
    noticed_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    dismissed_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(dismissed_at=None), name="one_open_clone_per_source"
            ),
            models.CheckConstraint(condition=Q(clue__in=CloneClue.values), name="clone_clue_is_known"),
        ]

    def __str__(self) -> str:
        return f"possible clone of {self.source}"
