from auditlog.models import AbstractLogEntry
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(AbstractLogEntry):  # type: ignore[misc]
    """One line of the audit trail: django-auditlog's entry with the columns that people filter by.

    `verb` says what happened in our words (`verdict.given`, `picture.seen`), `site_id` and `queue_id` whose it is,
    `subject_id` whose story it belongs to: that of an event for everything about its items, claims and verdicts, that
    of a person for roles and accounts, otherwise that of the object itself. `circumstances` holds how the person came
    in at that time: printed name, roles on the scope, door, session, strength of the sign-in.
    """

    verb = models.CharField(max_length=50)
    site_id = models.UUIDField(null=True)
    queue_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(null=True)
    circumstances = models.JSONField(null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]
        abstract = False
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["site_id", "-id"], name="audit_of_site"),
            models.Index(fields=["site_id", "verb", "-id"], name="audit_of_site_verb"),
            models.Index(fields=["queue_id", "-id"], name="audit_of_queue"),
            models.Index(fields=["actor", "-id"], name="audit_of_person"),
            models.Index(fields=["verb", "-id"], name="audit_of_verb"),
            # The story of one event or person.
            models.Index(fields=["subject_id", "-id"], name="audit_of_subject"),
            # Which ids a span of time holds.
            models.Index(fields=["timestamp", "id"], name="audit_of_time"),
        ]
