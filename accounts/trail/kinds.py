"""Kinds of acts in words, for the filter: what verbs start with, grouped."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.sentences import VERBS


@dataclass(frozen=True, slots=True)
class Group:
    """Acts that people think of as one kind; `prefixes` are the first halves of verbs, or whole verbs."""

    key: str
    label: str | Promise
    prefixes: frozenset[str]
    icon: str


GROUPS = (
    Group("answers", _("answers"), frozenset({"verdict"}), "check"),
    Group("work", _("claims and hand-overs"), frozenset({"claim", "item"}), "hand"),
    Group(
        "looks",
        _("pictures and events looked at"),
        frozenset({"picture", "thumbnails", "event", "events", "site.opened", "verdicts", "original"}),
        "eye",
    ),
    Group("searches", _("searches in personal data"), frozenset({"search"}), "search"),
    Group("downloads", _("exports and downloads"), frozenset({"release.downloaded", "audit.exported"}), "download"),
    Group("releases", _("releases"), frozenset({"release"}), "package"),
    Group(
        "rules",
        _("policy, queues and classes"),
        frozenset({"policy", "queue", "taxonomy", "class", "mapping.resolved"}),
        "git-branch",
    ),
    Group("set_up", _("sites, cameras, sources, models"), frozenset({"site", "camera", "source", "model"}), "cctv"),
    Group("people", _("people, roles and tokens"), frozenset({"person", "grant", "token", "invitation"}), "users"),
    Group("refusals", _("refused attempts"), frozenset({"attempt", "attempts"}), "ban"),
    Group("system", _("the system itself"), frozenset({"system", "seal", "audit"}), "server"),
)
# Ways in are told by many verbs of several parts; what is in no group above is one of them.
SIGN_IN = Group("sign_in", _("sign-in, sessions and workstations"), frozenset(), "log-in")
ALL = (*GROUPS, SIGN_IN)
BY_KEY = {group.key: group for group in ALL}


def group_of(verb: str) -> Group:
    """The group of a verb: the whole verb counts before its first half."""
    for wanted in (verb, verb.split(".", 1)[0]):
        for group in GROUPS:
            if wanted in group.prefixes:
                return group
    return SIGN_IN


def verbs_of(key: str) -> list[str]:
    """The known verbs of a group; none for an unknown one."""
    return sorted(verb for verb in VERBS if group_of(verb).key == key)
