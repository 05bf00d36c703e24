"""Cells that no spreadsheet takes for a formula, and back (OWASP, CSV injection)."""

from typing import Any

# What spreadsheets begin a formula with, and the full-width forms of the same characters.
DANGEROUS = "=+-@\t\r\n" + "\uff1d\uff0b\uff0d\uff20"
MARK = "'"


def cell(value: Any) -> Any:
    """A value for a CSV row: numbers as they are, None as nothing, text behind an apostrophe where it is dangerous."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value)
    return MARK + text if text.startswith((*DANGEROUS, MARK)) else text


def text_of(written: str) -> str:
    """The text that `cell` wrote: one apostrophe in front is ours."""
    return written[1:] if written.startswith(MARK) else written
