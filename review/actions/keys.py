"""Keys of the desk as one person wants them. Commands and clashes are the page's business (keymap.js): here it is made
sure that what is kept is small, printable, and gives no chord two meanings.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from accounts.models import User
from review.models import KeyBindings

COMMAND = re.compile(r"[a-z]+(-[a-z]+){0,3}")
CHORD = re.compile(r"(Ctrl\+|Alt\+|Shift\+){0,3}(\S|[A-Z][A-Za-z0-9]{1,14})")
MOST_COMMANDS, MOST_CHORDS = 60, 4
Bindings = dict[str, list[str]]


def keys_for(person: User) -> Bindings:
    """What this person has changed; empty for nothing."""
    return KeyBindings.objects.filter(person=person).values_list("bindings", flat=True).first() or {}


def change_keys(*, person: User, bindings: Any, now: datetime) -> Bindings:
    """Keep these bindings instead of the earlier ones; none at all brings the keys back that everybody has.

    Raises Invalid `schema` for what is no table of keys, `key_clash` for a chord with two meanings.
    """
    table = read(bindings)
    if not table:
        KeyBindings.objects.filter(person=person).delete()
        return {}
    KeyBindings.objects.update_or_create(person=person, defaults={"bindings": table, "changed_at": now})
    return table


def read(bindings: Any) -> Bindings:
    if not isinstance(bindings, Mapping) or len(bindings) > MOST_COMMANDS:
        raise Invalid(_("Send keys by command."), code="schema")
    owners: dict[str, str] = {}
    for command, chords in bindings.items():
        if not (COMMAND.fullmatch(command) and isinstance(chords, list) and 1 <= len(chords) <= MOST_CHORDS):
            raise Invalid(_("Send one to four keys for each command."), code="schema")
        for chord in chords:
            if not (isinstance(chord, str) and chord.isprintable() and CHORD.fullmatch(chord)):
                raise Invalid(_("That is no key."), code="schema")
            if owners.setdefault(chord, command) != command:
                text = _("The key %(key)s would mean two things.") % {"key": chord}
                raise Invalid(text, code="key_clash")
    return {command: list(dict.fromkeys(chords)) for command, chords in bindings.items()}
