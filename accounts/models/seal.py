"""The tables of the sealed log. All but `Unsealed` and `Verification` are append-only."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Unsealed(models.Model):
    """A row that waits for its leaf. A trigger of the database writes it in the transaction of the row itself."""

    kind = models.CharField(max_length=30)
    row = models.CharField(max_length=40)
    # When it could not be read last; it goes on waiting, and those behind it do not wait for it.
    unreadable_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.row}"


class Leaf(models.Model):
    """The place of a row in the log: which row, in which layout, and the hash of its bytes."""

    index = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=30)
    layout = models.PositiveSmallIntegerField()
    # A number as it is; a UUID as 32 hexadecimal digits.
    row = models.CharField(max_length=40)
    hash = models.BinaryField(max_length=32)
    # The number under which it waited: the order in which rows were written, whenever they were committed.
    ticket = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "leaves"
        constraints = [
            models.UniqueConstraint(fields=["kind", "row"], name="leaf_once_per_row"),
            models.CheckConstraint(condition=Q(index__gte=0), name="leaf_index_counts_from_zero"),
        ]

    def __str__(self) -> str:
        return f"#{self.index} {self.kind} {self.row}"


class LeafNode(models.Model):
    """The root of a perfect subtree, kept at every eighth level, so that a proof reads some hundred rows at most."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="leaf_node_once")]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(models.Model):
    """Size and root of the log at one time, as a signed note."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(_("checkpoint of %(size)s entries") % {"size": self.size})


class Anchoring(models.Model):
    """One try to leave a checkpoint at an anchor: `ok`, or what went wrong."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="anchorings")
    anchor = models.CharField(max_length=300)
    at = models.DateTimeField()
    ok = models.BooleanField()
    result = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            # The last try at an anchor, and the last one that succeeded.
            models.Index(fields=["anchor", "-id"], name="anchoring_last"),
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} at {self.anchor}"


class Verification(models.Model):
    """A daily look at the whole log, done in slices; `position` is how far it has come."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    size = models.BigIntegerField()
    position = models.BigIntegerField(default=0)
    ok = models.BooleanField(null=True)
    findings = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, ok=None) | Q(finished_at__isnull=False, ok__isnull=False),
                name="verification_finished_has_result",
            )
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d} {self.ok}"
