"""The anchors that SECONDLOOK_AUDIT_ANCHORS names. A new kind of anchor is a file beside this one and a line here."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.anchors.bucket import BucketAnchor
from accounts.anchors.file import FileAnchor
from accounts.anchors.interface import Anchor
from accounts.anchors.webhook import WebhookAnchor

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FORMS = "file:/path, https://host/path or s3://bucket/prefix"


def anchors() -> list[Anchor]:
    """All configured anchors. Raises ImproperlyConfigured for one that is none of the known kinds."""
    return [anchor(text) for text in settings.SECONDLOOK["AUDIT_ANCHORS"]]


def anchor(text: str) -> Anchor:
    parts = urlsplit(text)
    if parts.scheme == "file" and Path(parts.path).is_absolute() and not parts.netloc:
        return FileAnchor(Path(parts.path))
    if parts.scheme == "https" and parts.hostname:
        return WebhookAnchor(text)
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return WebhookAnchor(text)
    if parts.scheme == "s3" and parts.netloc:
        retain = timedelta(days=settings.SECONDLOOK["AUDIT_RETAIN_DAYS"])
        return BucketAnchor(parts.netloc, parts.path.strip("/"), retain)
    # Not the text itself: an address may hold a password.
    raise ImproperlyConfigured(f"SECONDLOOK_AUDIT_ANCHORS holds something that is none of {FORMS}.")
