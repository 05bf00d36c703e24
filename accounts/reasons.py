"""Why somebody did something, in his own words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid

LONGEST = 300


def said(reason: str, otherwise: str | Promise) -> str:
    """The reason as it is kept: trimmed, without NUL, which PostgreSQL cannot keep.

    Raises Invalid `reason_required` with the sentence `otherwise` for an empty one, `reason_too_long` for a long one.
    """
    kept = reason.replace("\0", "").strip()
    if not kept:
        raise Invalid(otherwise, code="reason_required")
    if len(kept) > LONGEST:
        raise Invalid(_("Say it in %s characters.") % LONGEST, code="reason_too_long")
    return kept
