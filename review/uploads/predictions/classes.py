"""Names of classes: pasted or `classes.txt` with one per line, or `names` of a `data.yaml`.

Of YAML only what such files use is read: a list or a mapping of plain or quoted texts, in one line or several. There is
no tag, anchor or object that anything would be made of; whatever else stands there is a fault.
"""

import json
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from review.uploads.predictions import Faulty

MOST = 1000
LONGEST = 100
# Escapes of double-quoted texts; those that are no different in JSON come along so that `\\\\x` is none.
ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|U[0-9A-Fa-f]{8}|.)")
ENTRY = re.compile(r"\s*(\d{1,4})\s*:\s*(.*)")


def read_classes(name: str, data: bytes) -> list[str]:
    """The names of classes 0, 1, ... that a file says. Raises Faulty."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Faulty(_("file"), _("it is no text")) from None
    found = from_yaml(text) if name.lower().endswith((".yaml", ".yml")) else from_lines(text)
    if not 1 <= len(found) <= MOST:
        raise Faulty(_("file"), _("it holds no names, or more than %d") % MOST)
    for index, one in enumerate(found):
        if not 1 <= len(one) <= LONGEST or not one.isprintable():
            raise Faulty(_("class %d") % index, _("is empty, too long, or holds characters that cannot be shown"))
    return found


def from_lines(text: str) -> list[str]:
    return [line.strip() for line in text.rstrip().splitlines()]


def from_yaml(text: str) -> list[str]:
    lines = list(enumerate(text.splitlines(), start=1))
    for place, (number, line) in enumerate(lines):
        if re.match(r"names\s*:", line):
            rest = line.split(":", 1)[1].strip()
            if rest[:1] in {"[", "{"}:
                return flow(rest, lines[place + 1 :], number)
            if rest and not rest.startswith("#"):
                raise Faulty(_("line %d") % number, _("is no list of names"))
            return block(lines[place + 1 :])
    raise Faulty(_("file"), _("there is no entry “names”"))


def flow(start: str, following: list[tuple[int, str]], number: int) -> list[str]:
    """`[a, b]` or `{0: a, 1: b}`, perhaps over several lines."""
    text = start
    closing = "]" if start[0] == "[" else "}"
    for _number, line in following:
        if bare(text).endswith(closing):
            break
        text = f"{bare(text)} {line.strip()}"
    text = bare(text)
    if not text.endswith(closing):
        raise Faulty(_("line %d") % number, _("the list is not closed"))
    parts = list(split(text[1:-1], number))
    return [scalar(part, number) for part in parts] if closing == "]" else mapped([(number, part) for part in parts])


def block(lines: list[tuple[int, str]]) -> list[str]:
    """`- a` or `0: a`, one per line, until something else begins."""
    listed: list[str] = []
    entries: list[tuple[int, str]] = []
    for number, line in lines:
        plain = bare(line)
        if not plain.strip():
            continue
        item = re.match(r"\s*-\s+(.*)", plain)
        if item and not entries:
            listed.append(scalar(item[1], number))
        elif line[0] in " \t" and ENTRY.fullmatch(plain) and not listed:
            entries.append((number, plain))
        elif line[0] in " \t-":
            raise Faulty(_("line %d") % number, _("is no name of a class"))
        else:
            break
    return listed or mapped(entries)


def mapped(entries: list[tuple[int, str]]) -> list[str]:
    """`0: a` entries in the order of their numbers, which have to be 0, 1, 2, ..."""
    found: dict[int, str] = {}
    for number, text in entries:
        entry = ENTRY.fullmatch(text)
        if entry is None or int(entry[1]) in found:
            raise Faulty(_("line %d") % number, _("is no number with a name, or is there twice"))
        found[int(entry[1])] = scalar(entry[2], number)
    if sorted(found) != list(range(len(found))):
        raise Faulty(_("file"), _("the numbers of the classes are not 0, 1, 2, …"))
    return [found[index] for index in range(len(found))]


def split(text: str, number: int) -> Iterator[str]:
    """The parts between commas that stand outside of quotes; a comma at the end begins no part."""
    part, quote = "", ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and not part.split(":")[-1].strip():
            quote = char
        elif char in "[]{}":
            raise Faulty(_("line %d") % number, _("a list within the list of names is not read"))
        elif char == ",":
            yield part
            part = ""
            continue
        part += char
    if part.strip():
        yield part


def bare(line: str) -> str:
    """A line without its comment and without spaces at its end."""
    quote = ""
    for place, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and (place == 0 or line[place - 1] in " \t[{,:-"):
            quote = char
        elif char == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place].rstrip()
    return line.rstrip()


def as_json_escapes(found: re.Match[str]) -> str:
    """An escape that JSON lacks as one that it has."""
    code = found[0][2:]
    if found[0][1] == "x":
        return f"\\u00{code}"
    if found[0][1] == "U" and int(code, 16) <= 0x10FFFF:
        return json.dumps(chr(int(code, 16)))[1:-1]
    return found[0]


def scalar(text: str, number: int) -> str:
    """A plain or quoted text. Raises Faulty for what would be something else in YAML."""
    text = text.strip()
    try:
        if text.startswith('"'):
            value = json.loads(ESCAPE.sub(as_json_escapes, text))
            if isinstance(value, str):
                return value
            raise ValueError
    except ValueError:
        raise Faulty(_("line %d") % number, _("is no quoted text")) from None
    if text.startswith("'"):
        if len(text) < 2 or not text.endswith("'"):
            raise Faulty(_("line %d") % number, _("is no quoted text"))
        return text[1:-1].replace("''", "'")
    if text[:1] in {"&", "*", "!", "|", ">", "[", "{", "%", "@", "`"}:
        raise Faulty(_("line %d") % number, _("only plain and quoted names are read"))
    return text
