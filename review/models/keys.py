from django.conf import settings
from django.db import models


class KeyBindings(models.Model):
    """The keys of the desk that a person has changed: chords by command, as static/js/desk/keymap.js writes them."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="key_bindings")
    bindings = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "key bindings"

    def __str__(self) -> str:
        return f"keys of {self.person}"
