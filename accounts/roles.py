"""The six roles and what each may do in its scope: the table of docs/access.md as data."""

from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    OPERATOR = "operator", _("Operator")
    SUPERVISOR = "supervisor", _("Supervisor")
    ML_ENGINEER = "ml_engineer", _("ML engineer")
    FLEET_ENGINEER = "fleet_engineer", _("Fleet engineer")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


class Right(TextChoices):
    """One thing that a role allows; also the codename of guardian's permission on a site or a queue."""

    SEE_EVENTS = "see_events", _("see events and evidence")
    OPEN_EVENTS = "open_events", _("open events with a reason")
    SEE_ORIGINALS = "see_originals", _("download originals")
    REVIEW = "review_items", _("claim and answer items")
    MANAGE_QUEUES = "manage_queues", _("manage policy, queues and overrides")
    MANAGE_TAXONOMY = "manage_taxonomy", _("manage the taxonomy")
    GRANT_OPERATOR = "grant_operator", _("make operators")
    GRANT_ALL = "grant_all", _("grant every role")
    SEE_RELEASES = "see_releases", _("see releases and scorecards")
    MAKE_RELEASES = "make_releases", _("make and download releases")
    SEE_MANIFESTS = "see_manifests", _("see manifests of releases")
    SEE_SOURCES = "see_sources", _("see sources, cameras and devices")
    MANAGE_SOURCES = "manage_sources", _("manage sources, cameras and devices")
    AUDIT_SITE = "audit_site", _("read the audit trail")
    AUDIT_RELEASES = "audit_releases", _("read the audit trail of releases")
    AUDIT_DEVICES = "audit_devices", _("read the audit trail of devices")


_R = Right
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({_R.SEE_EVENTS, _R.REVIEW}),
    Role.SUPERVISOR: frozenset(
        {
            _R.SEE_EVENTS,
            _R.SEE_ORIGINALS,
            _R.REVIEW,
            _R.MANAGE_QUEUES,
            _R.MANAGE_TAXONOMY,
            _R.GRANT_OPERATOR,
            _R.SEE_RELEASES,
            _R.SEE_SOURCES,
            _R.AUDIT_SITE,
        }
    ),
    Role.ML_ENGINEER: frozenset(
        {_R.SEE_EVENTS, _R.MANAGE_TAXONOMY, _R.SEE_RELEASES, _R.MAKE_RELEASES, _R.SEE_MANIFESTS, _R.AUDIT_RELEASES}
    ),
    Role.FLEET_ENGINEER: frozenset({_R.SEE_SOURCES, _R.MANAGE_SOURCES, _R.AUDIT_DEVICES}),
    Role.AUDITOR: frozenset({_R.OPEN_EVENTS, _R.SEE_MANIFESTS, _R.AUDIT_SITE, _R.AUDIT_RELEASES, _R.AUDIT_DEVICES}),
    Role.ADMINISTRATOR: frozenset(
        {_R.GRANT_ALL, _R.SEE_SOURCES, _R.MANAGE_SOURCES, _R.AUDIT_SITE, _R.AUDIT_RELEASES, _R.AUDIT_DEVICES}
    ),
}
SITE_PERMISSIONS: Any = [(right.value, str(right.value).replace("_", " ")) for right in Right]
QUEUE_PERMISSIONS = SITE_PERMISSIONS


def roles_with(right: Right) -> list[Role]:
    """The roles that hold `right`."""
    return [role for role, rights in RIGHTS.items() if right in rights]
