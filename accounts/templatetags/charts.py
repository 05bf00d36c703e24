"""Small figures drawn on the server as SVG, so that they need neither script nor inline style."""

from collections.abc import Mapping, Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

SPARK_WIDTH = 148
SPARK_HEIGHT = 28
SPARK_MARGIN = 2
BAND_SCALE = 1000
BAND_HEIGHT = 30
BAND_MARGIN = 9
HATCH_STEP = 12
STACK_WIDTH = 132
STACK_HEIGHT = 10
PALETTE = 8
SPLIT_ORDER = ("train", "val", "test")


def spark_points(values: Sequence[int]) -> list[tuple[float, float]]:
    """Return the line's corners in SVG units (x right, y down); the largest value touches the top margin."""
    if not values:
        return []
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    reach = SPARK_HEIGHT - 2 * SPARK_MARGIN
    top = max(max(values), 1)
    return [
        (round(index * step, 1), round(SPARK_HEIGHT - SPARK_MARGIN - reach * value / top, 1))
        for index, value in enumerate(values)
    ]


@register.simple_tag
def sparkline(values: Sequence[int], label: str) -> SafeString:
    """Draw `values` (oldest first) as a line; `label` says in words what it shows."""
    points = spark_points(values)
    line = " ".join(f"{x},{y}" for x, y in points)
    area = f"0,{SPARK_HEIGHT} {line} {SPARK_WIDTH},{SPARK_HEIGHT}" if points else ""
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<polygon class="sparkline__area" points="{}"/><polyline class="sparkline__line" points="{}"/></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        label,
        area,
        line,
    )


def _unit(value: object) -> float:
    """Read a confidence for drawing: a number within 0..1; what is not a number is drawn as 0."""
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return min(max(number, 0.0), 1.0) if number == number else 0.0


def _hatch(floor: float) -> SafeString:
    """Return slanted lines over the part of the scale below `floor` (0..1)."""
    end = round(floor * BAND_SCALE)
    height = BAND_HEIGHT - 2 * BAND_MARGIN
    starts = range(0, max(end - height, 0), HATCH_STEP)
    return format_html_join(
        "",
        '<line class="band__hatch" x1="{}" y1="{}" x2="{}" y2="{}"/>',
        ((x, BAND_MARGIN + height, x + height, BAND_MARGIN) for x in starts),
    )


@register.simple_tag
def band_bar(low: object, high: object, floor: object, label: str) -> SafeString:
    """Draw a review band on the confidence scale 0..1, with the part below the reporting floor hatched.

    The module `js/bands.js` moves the range while somebody types, so the marks carry data attributes.
    """
    start, end, blind = _unit(low), _unit(high), _unit(floor)
    ticks = format_html_join(
        "",
        '<line class="band__tick" x1="{}" y1="{}" x2="{}" y2="{}"/>',
        ((x, BAND_MARGIN - 4, x, BAND_HEIGHT - BAND_MARGIN + 4) for x in (0, 250, 500, 750, BAND_SCALE)),
    )
    height = BAND_HEIGHT - 2 * BAND_MARGIN
    return format_html(
        '<svg class="band" viewBox="0 0 {scale} {full}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<rect class="band__track" x="0" y="{top}" width="{scale}" height="{height}"/>'
        '<rect class="band__blind" x="0" y="{top}" width="{blind}" height="{height}"/>{hatch}{ticks}'
        '<rect class="band__range" data-band-range x="{start}" y="{top}" width="{width}" height="{height}"/></svg>',
        scale=BAND_SCALE,
        full=BAND_HEIGHT,
        top=BAND_MARGIN,
        height=height,
        label=label,
        blind=round(blind * BAND_SCALE),
        hatch=_hatch(blind),
        ticks=ticks,
        start=round(start * BAND_SCALE),
        width=round(max(end - start, 0) * BAND_SCALE),
    )


def _colour_slot(index: int) -> int:
    """Return the palette slot (1..8) of the part at `index`."""
    return index % PALETTE + 1


@register.simple_tag
def stack(parts: Mapping[str, int], label: str) -> SafeString:
    """Draw shares of a whole as one bar, widths in proportion; an empty mapping draws the empty track."""
    total = sum(parts.values())
    rects = []
    at = 0.0
    for index, count in enumerate(parts.values()):
        width = STACK_WIDTH * count / total if total else 0
        rects.append((_colour_slot(index), round(at, 2), round(width, 2), STACK_HEIGHT))
        at += width
    words = ", ".join(f"{name} {count}" for name, count in parts.items())
    return format_html(
        '<svg class="stack" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}"><title>{}</title>'
        "{}</svg>",
        STACK_WIDTH,
        STACK_HEIGHT,
        f"{label}: {words}" if words else label,
        words,
        format_html_join("", '<rect data-colour="{}" x="{}" y="0" width="{}" height="{}"/>', rects),
    )


@register.inclusion_tag("review/_counts.html")
def counts_table(counts: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
    """Lay `{class: {split: n}}` out as a table: one row per class, one column per split, totals at both ends."""
    found = {split for row in counts.values() for split in row}
    splits = [*(split for split in SPLIT_ORDER if split in found), *sorted(found - set(SPLIT_ORDER))]
    rows = [
        {"name": name, "cells": [row.get(split, 0) for split in splits], "total": sum(row.values())}
        for name, row in counts.items()
    ]
    totals = [sum(row.get(split, 0) for row in counts.values()) for split in splits]
    return {"splits": splits, "rows": rows, "totals": totals, "total": sum(totals)}
