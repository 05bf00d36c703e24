"""What people type into fields."""

import unicodedata

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid


def named(text: str, most: int = 120) -> str:
    """A name in one form: composed, without odd spaces. Raises Invalid `name` for an empty or too long one."""
    kept = " ".join(unicodedata.normalize("NFKC", text.replace("\0", "")).split())
    if not kept or len(kept) > most:
        raise Invalid(_("Give it a name of at most %(most)d characters.") % {"most": most}, code="name")
    return kept


def whole_number(text: str, least: int, most: int) -> int | None:
    """The whole number in a field, from `least` to `most`; None for anything else."""
    typed = text.strip()
    if not typed.isascii() or not typed.isdigit() or len(typed) > len(str(most)):
        return None
    return int(typed) if least <= int(typed) <= most else None
