"""The tabs over the pages about people: those that exist and that this person may use."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import held_by
from accounts.roles import RIGHTS, Right

register = template.Library()

GRANTERS = frozenset({Right.GRANT_ALL, Right.GRANT_OPERATOR})
ADMINISTRATORS = frozenset({Right.GRANT_ALL})
# URL name, label, and the rights of which one opens the page.
TABS: list[tuple[str, str | Promise, frozenset[Right]]] = [
    ("people", _("People"), GRANTERS),
    ("roles", _("Roles"), GRANTERS),
    ("invitations", _("Invitations"), GRANTERS),
    ("sign-in-rules", _("Sign-in rules"), ADMINISTRATORS),
    ("workstations", _("Workstations"), GRANTERS),
]


@register.simple_tag(takes_context=True)
def people_tabs(context: dict[str, Any], here: str = "") -> list[dict[str, Any]]:
    """The tabs as {url, label, current}; `here` is the URL name of the page that shows them."""
    rights = {right for held in held_by(context["request"].user) for right in RIGHTS[held.role]}
    found = [(name, label, address(name)) for name, label, needed in TABS if rights & needed]
    return [{"url": url, "label": label, "current": name == here} for name, label, url in found if url]


def address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
