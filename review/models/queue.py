from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from accounts.ids import new_id
from accounts.roles import QUEUE_PERMISSIONS
from inference.models import Site
from inference.models.site import InUseQuerySet, says_why

from .taxonomy import Taxonomy


class Move(models.TextChoices):
    """What people do with an item, as far as a queue may want to know why."""

    CORRECT = "correct", _("correct")
    EMPTY = "empty", _("nothing here")
    UNSURE = "unsure", _("unsure")
    BAD_IMAGE = "bad_image", _("bad image")
    SKIP = "skip", _("skip")
    SNOOZE = "snooze", _("put off")
    HAND_BACK = "hand_back", _("hand back")
    ESCALATE = "escalate", _("escalate")


class Queue(models.Model):
    """A line of work with its own guide, classes, reviewers and deadline."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="queues")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="queues")
    guide = models.TextField(blank=True)
    # Goes up with every change of the guide's text or examples; verdicts record it.
    guide_version = models.PositiveIntegerField(default=0)
    due_in = models.DurationField(default=timedelta(hours=4))
    undo_window = models.DurationField(default=timedelta(seconds=8))
    asks_complete = models.BooleanField(
        _('ask "is everything marked?"'),
        default=True,
        help_text=_("Whether answers say if the whole frame was judged, or only what was doubtful."),
    )
    answers_held = models.BooleanField(
        _("answers held events"),
        default=True,
        help_text=_("Whether people of this queue are called when a machine waits for an answer."),
    )
    allows_reopening = models.BooleanField(
        _("lets people reopen their own answers"),
        default=True,
        help_text=_("Whether who answered may open an item again once the answer is final, with a reason."),
    )
    # Moves (values of `Move`) that are taken only with a reason.
    needs_reason = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    # A retired queue is offered nowhere, and no open item ever is in it. What was answered there stays.
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_because = models.CharField(max_length=300, blank=True)

    objects = InUseQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = QUEUE_PERMISSIONS
        constraints = [
            models.UniqueConstraint(fields=["site", "slug"], name="queue_slug_per_site"),
            says_why("queue_retired_says_why"),
        ]

    def __str__(self) -> str:
        return self.name

    def require_reason(self, move: Move, said: str, *, field: str) -> None:
        """Raise Invalid `reason_required` when this move needs a reason here and none was said in `field`."""
        if move in self.needs_reason and not said.strip():
            text = _("This queue wants a reason for “%(move)s”.") % {"move": move.label}
            raise Invalid(text, code="reason_required", errors=[{"path": f"$.{field}", "message": str(text)}])
