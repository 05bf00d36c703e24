"""The tabs over groups of pages: those that exist and that this person may use."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import held_by
from accounts.roles import RIGHTS, Right

register = template.Library()

Tab = tuple[str, str | Promise, frozenset[Right]]
GRANTERS = frozenset({Right.GRANT_ALL, Right.GRANT_OPERATOR})
ADMINISTRATORS = frozenset({Right.GRANT_ALL})
QUEUES = frozenset({Right.MANAGE_QUEUES})
SOURCES = frozenset({Right.SEE_SOURCES})
MAPPERS = frozenset({Right.MANAGE_QUEUES, Right.MANAGE_SOURCES, Right.MANAGE_TAXONOMY})
# By group: URL name, label, and the rights of which one opens the page.
GROUPS: dict[str, list[Tab]] = {
    "people": [
        ("people", _("People"), GRANTERS),
        ("roles", _("Roles"), GRANTERS),
        ("invitations", _("Invitations"), GRANTERS),
        ("sign-in-rules", _("Sign-in rules"), ADMINISTRATORS),
        ("workstations", _("Workstations"), GRANTERS),
    ],
    "sources": [
        ("sources", _("Sources"), SOURCES),
        ("cameras", _("Cameras"), SOURCES),
        ("sites", _("Sites"), SOURCES),
        ("uploads", _("Uploads"), frozenset({Right.REVIEW, Right.MANAGE_SOURCES})),
        ("models", _("Models"), MAPPERS),
        ("inbox", _("Inbox"), MAPPERS),
    ],
    "policy": [
        ("policies", _("Bands"), QUEUES),
        ("queue-list", _("Queues"), QUEUES),
        ("taxonomies", _("Classes"), frozenset({Right.MANAGE_TAXONOMY})),
        ("retentions", _("Retention"), QUEUES),
    ],
}
NAMES = {"people": _("People and sign-in"), "sources": _("Where events come from"), "policy": _("What is looked at")}


@register.inclusion_tag("_tabs.html", takes_context=True)
def tabs(context: dict[str, Any], group: str, here: str = "") -> dict[str, Any]:
    """The tabs of a group; `here` is the URL name of the page that shows them."""
    return {"name": NAMES[group], "entries": entries(context, group, here)}


@register.simple_tag(takes_context=True)
def people_tabs(context: dict[str, Any], here: str = "") -> list[dict[str, Any]]:
    """The tabs over the pages about people as {url, label, current}."""
    return entries(context, "people", here)


def entries(context: dict[str, Any], group: str, here: str) -> list[dict[str, Any]]:
    rights = {right for held in held_by(context["request"].user) for right in RIGHTS[held.role]}
    found = [(name, label, address(name)) for name, label, needed in GROUPS[group] if rights & needed]
    return [{"url": url, "label": label, "current": name == here} for name, label, url in found if url]


def address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
