import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id

from .item import Item


class Ended(models.TextChoices):
    ANSWERED = "answered", _("answered")
    RELEASED = "released", _("given back")
    EXPIRED = "expired", _("expired")
    MOVED = "moved", _("moved on")
    OVERTAKEN = "overtaken", _("somebody else answered first")


class Claim(models.Model):
    """A lease on an item: who holds it, the token that proves it, and until when."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="claims")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims")
    token = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Set when the item came on screen; one that was only claimed ahead goes back sooner.
    opened_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=10, choices=Ended.choices, blank=True)
    # On a held item: others may hold it as well. The item does not name such a claim.
    shared = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(ended_at=None, shared=False), name="claim_one_live_per_item"
            ),
            models.UniqueConstraint(
                fields=["item", "holder"], condition=Q(ended_at=None, shared=True), name="claim_shared_once_per_person"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended="") | Q(ended_at__isnull=False, ended__in=Ended.values),
                name="claim_ended_says_how",
            ),
        ]

    def __str__(self) -> str:
        return f"claim on {self.item_id}"


class Skip(models.Model):
    """A person passed an item over for a while; others may take it at once."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="skips")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "person"], name="skip_once_per_person")]

    def __str__(self) -> str:
        return f"{self.person} skips {self.item_id}"
