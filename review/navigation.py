"""The shell's navigation: only what the person's role can use."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.access import held_by
from accounts.models import User
from accounts.roles import RIGHTS, Right, Role

# Pages that belong to a place besides those under its own address.
ALSO = {"sources": ("/sites/", "/cameras/", "/uploads/"), "policies": ("/retention/", "/taxonomies/")}


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    label: str
    url: str
    icon: str
    current: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `nav` and `my_roles`, worked out only when a template shows them."""
    if not isinstance(request.user, User):
        return {"nav": [], "my_roles": ""}
    roles = SimpleLazyObject(lambda: {held.role for held in held_by(request.user)})
    return {
        "nav": SimpleLazyObject(lambda: places(request, roles)),
        "my_roles": SimpleLazyObject(lambda: ", ".join(str(role.label) for role in Role if role in roles)),
    }


def places(request: HttpRequest, roles: Any) -> list[Place]:
    rights = {right for role in roles for right in RIGHTS[role]}
    wanted = [
        (_("Queues"), "queues", "layout-list", bool(rights & {Right.REVIEW, Right.SEE_EVENTS})),
        (_("Events"), "events", "images", Right.SEE_EVENTS in rights),
        (_("Releases"), "releases", "package", bool(rights & {Right.SEE_RELEASES, Right.SEE_MANIFESTS})),
        (_("Policy"), "policies", "sliders-horizontal", Right.MANAGE_QUEUES in rights),
        # For who steers queues it is a tab there.
        (_("Classes"), "taxonomies", "tag", Right.MANAGE_TAXONOMY in rights and Right.MANAGE_QUEUES not in rights),
        (_("Sources"), "sources", "radio-tower", Right.SEE_SOURCES in rights),
        (
            _("Inbox"),
            "inbox",
            "inbox",
            bool(rights & {Right.MANAGE_QUEUES, Right.MANAGE_SOURCES, Right.MANAGE_TAXONOMY}),
        ),
        (_("People"), "people", "users", bool(rights & {Right.GRANT_ALL, Right.GRANT_OPERATOR})),
        (_("Audit"), "audit", "scroll-text", True),
    ]
    return [place(request, label, name, icon) for label, name, icon, shown in wanted if shown]


def place(request: HttpRequest, label: str, name: str, icon: str) -> Place:
    url = reverse(name)
    return Place(label=label, url=url, icon=icon, current=request.path.startswith((url, *ALSO.get(name, ()))))
