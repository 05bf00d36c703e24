"""Times and figures in the words people use."""

from datetime import datetime

from django import template
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


def span_words(seconds: float) -> str:
    """Say a length of time in its largest unit; what is negative (a clock ahead of ours) counts as now."""
    if seconds < MINUTE_S:
        return _("just now")
    if seconds < HOUR_S:
        return ngettext("%(n)d min", "%(n)d min", int(seconds // MINUTE_S)) % {"n": seconds // MINUTE_S}
    if seconds < DAY_S:
        return ngettext("%(n)d hr", "%(n)d hr", int(seconds // HOUR_S)) % {"n": seconds // HOUR_S}
    return ngettext("%(n)d day", "%(n)d days", int(seconds // DAY_S)) % {"n": seconds // DAY_S}


def as_instant(value: datetime | str | None) -> datetime | None:
    """Return an aware instant for one, or for its RFC 3339 text; None for nothing and for text that is no instant."""
    if not isinstance(value, str):
        return value
    try:
        parsed = parse_datetime(value)
    except ValueError:
        return None
    return parsed if parsed is not None and timezone.is_aware(parsed) else None


@register.simple_tag
def ago(value: datetime | str | None, nothing: str = "–") -> SafeString | str:
    """Show how long ago an instant was; the exact time with its zone is the title. `js/times.js` keeps it current."""
    at = as_instant(value)
    if at is None:
        return nothing
    local = timezone.localtime(at)
    title = f"{formats.date_format(local, 'DATETIME_FORMAT')}:{local:%S} {local.tzname()}"
    words = span_words((timezone.now() - at).total_seconds())
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', at.isoformat(), title, words)


def _local(value: datetime | str | None) -> datetime | None:
    at = as_instant(value)
    return None if at is None else timezone.localtime(at)


@register.simple_tag
def exact(value: datetime | str | None, nothing: str = "–") -> SafeString | str:
    """Show the day and the second of an instant in the active time zone, which the title names."""
    local = _local(value)
    if local is None:
        return nothing
    words = f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), local.tzname() or "", words)


@register.simple_tag
def clock(value: datetime | str | None, nothing: str = "–") -> SafeString | str:
    """Show only the time of day of an instant, to the second, in the active time zone; the day is the title."""
    local = _local(value)
    if local is None:
        return nothing
    title = f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), title, f"{local:%H:%M:%S}")


@register.filter
def short_id(value: object) -> str:
    """Return the last six characters of an id or digest, enough for people to tell two apart."""
    text = str(value)
    return text if len(text) <= 7 else f"…{text[-6:]}"


@register.filter
def confidence(value: object) -> str:
    """Show a confidence (0..1) with two digits in the person's locale, as the desk does: 0.42."""
    try:
        # Rounded here, because number_format only cuts.
        return formats.number_format(round(float(str(value)), 2), decimal_pos=2)
    except ValueError:
        return "–"
