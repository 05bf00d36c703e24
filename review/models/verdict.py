from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id

from .claim import Claim
from .item import Item


class Answer(models.TextChoices):
    CONFIRM = "confirm", _("confirm")
    CORRECT = "correct", _("correct")
    EMPTY = "empty", _("nothing here")
    UNSURE = "unsure", _("unsure")
    BAD_IMAGE = "bad_image", _("bad image")


class Verdict(models.Model):
    """One person's answer on an item. Rows are only ever added; a `Retraction` beside it takes it back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="verdicts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="verdicts")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="verdicts")
    # Chosen by the client, so that a repeated submit is the same verdict.
    key = models.UUIDField()
    digest = models.CharField(max_length=64)
    item_version = models.PositiveIntegerField()
    answer = models.CharField(max_length=10, choices=Answer.choices)
    labels = models.JSONField(default=list)
    complete = models.BooleanField(null=True)
    note = models.TextField(blank=True)
    seconds = models.FloatField(null=True)
    created_at = models.DateTimeField()
    # From here on it can no longer be undone, and its effects leave.
    final_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="verdict_once_per_key"),
            models.CheckConstraint(condition=Q(answer__in=Answer.values), name="verdict_answer_is_known"),
            models.CheckConstraint(
                condition=~Q(answer__in=[Answer.CONFIRM, Answer.CORRECT]) | Q(complete__isnull=False),
                name="verdict_says_if_complete",
            ),
        ]
        indexes = [
            # Claim: has this person answered this item?
            models.Index(fields=["item", "person"], name="verdict_of_item"),
            # The sequencer: what became final since it last looked.
            models.Index(fields=["final_at"], name="verdict_final"),
            models.Index(fields=["person", "-created_at"], name="verdict_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.get_answer_display()} by {self.person}"


class Retraction(models.Model):
    """A verdict taken back within its undo window."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="retraction")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"retraction of {self.verdict_id}"


class Reopening(models.Model):
    """A final answer that no longer counts, with the reason: its item was opened again. The answer itself stays."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="reopening")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="reopening_says_why")]

    def __str__(self) -> str:
        return f"reopening of {self.verdict_id}"
