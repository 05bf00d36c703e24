"""Plain text of people as paragraphs and lists. Templates escape every line; nothing in it is markup."""

from dataclasses import dataclass

BULLETS = ("- ", "* ", "• ")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together: a paragraph, or a list with one line per entry."""

    is_list: bool
    lines: list[str]


def blocks(text: str) -> list[Block]:
    """Paragraphs end at an empty line; lines that begin with a dash or a dot are a list."""
    found: list[Block] = []
    fresh = True
    for line in (raw.strip() for raw in text.splitlines()):
        if not line:
            fresh = True
            continue
        is_list = line.startswith(BULLETS)
        if fresh or found[-1].is_list != is_list:
            found.append(Block(is_list, []))
        found[-1].lines.append(line[2:].strip() if is_list else line)
        fresh = False
    return found
