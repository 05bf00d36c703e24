"""Icons: a drawing from the lucide wheel, inline, hidden from screen readers because a word stands beside it."""

from functools import cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, size: int = 16) -> SafeString:
    """Return the SVG of a lucide icon.

    `size` (CSS pixels) only counts where no style sheet is loaded. Raises `lucide.IconDoesNotExist` for an unknown
    name: names are constants in templates, so a wrong one is a defect and not an input.
    """
    svg = lucide(str(name), size=size, **{"class": "icon", "aria_hidden": "true", "focusable": "false"})
    return mark_safe(svg)  # noqa: S308  the wheel's own drawing with constant attributes
