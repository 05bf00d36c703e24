"""System checks: the seal's configuration is found wrong before anything is sealed with it."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from accounts.anchors.configured import anchors
from accounts.seal import keys


@checks.register(checks.Tags.security)
def check_anchors(**_asked: Any) -> list[checks.CheckMessage]:
    """At least one anchor, and each of a known kind; in production one of them outside of the data folder."""
    try:
        found = anchors()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="accounts.E001")]
    if not found:
        return [checks.Error("Set SECONDLOOK_AUDIT_ANCHORS: the audit trail needs an anchor.", id="accounts.E002")]
    inside = bool(found) and all(anchor.beside_data for anchor in found)
    if inside and not settings.SECONDLOOK["EMBEDDED"]:
        said = "Every anchor of the audit trail lies in the data folder, where it proves nothing."
        return [checks.Error(said, hint="Name a place outside in SECONDLOOK_AUDIT_ANCHORS.", id="accounts.E003")]
    return []


@checks.register(checks.Tags.security)
def check_keys(**_asked: Any) -> list[checks.CheckMessage]:
    """The configured keys can be read; none is made here."""
    try:
        if value := settings.SECONDLOOK["AUDIT_KEY"]:
            keys.read_key(value)
        keys.old_keys()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="accounts.E004")]
    return []
