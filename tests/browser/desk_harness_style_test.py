"""Style sheets and templates keep what they promise: tokens only, nothing inline, contrast that can be read."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKENS = ROOT / "static/css/tokens.css"
SHEETS = sorted(path for path in (ROOT / "static/css").glob("*.css") if path != TOKENS)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# A colour, or a length or duration with a unit; the whole viewport and percentages are no sizes of ours.
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|(?<![\w-])\d*\.?\d+(?:px|rem|em|ch|ms|s|pt|vw)\b")

# Text, the ground it stands on, and the least contrast (WCAG 2.2, 1.4.3 and 1.4.11).
PAIRS = [
    *[(text, ground, 4.5) for text in ("text", "text-quiet") for ground in ("page", "surface", "sunken", "raised")],
    ("text-faint", "surface", 3.0),
    *[(name, ground, 4.5) for name in ("accent", "confirm", "nothing", "trouble") for ground in ("surface",)],
    *[(f"on-{name}", name, 4.5) for name in ("accent", "confirm", "correct", "nothing")],
    *[("on-class", f"class-{slot}", 4.5) for slot in range(1, 9)],
    ("text", "trouble-ground", 4.5),
    ("text", "nothing-ground", 4.5),
    ("text", "accent-ground", 4.5),
]


def bare(css: str) -> str:
    """A style sheet without its comments and without what media queries ask."""
    without_comments = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"@media[^{]*", "@media ", without_comments)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_only_tokens_name_a_colour_a_size_or_a_duration(sheet: Path) -> None:
    assert LITERAL.findall(bare(sheet.read_text())) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_token_that_is_used_exists(sheet: Path) -> None:
    known = set(re.findall(r"(--[\w-]+):", TOKENS.read_text())) | {"--picture-filter"}
    assert set(re.findall(r"var\((--[\w-]+)", sheet.read_text())) - known == set()


def test_every_token_is_used() -> None:
    used = "".join(path.read_text() for path in [*SHEETS, TOKENS])
    names = set(re.findall(r"^\s+(--[\w-]+):", TOKENS.read_text(), flags=re.MULTILINE))
    assert {name for name in names if f"var({name}" not in used} == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_carries_inline_script_or_style(template: Path) -> None:
    html = template.read_text()
    assert re.findall(r"<style|\sstyle=|\son\w+=|hx-on|javascript:|<script(?![^>]*\bsrc=)[^>]*>", html) == []


def tokens(scheme: int) -> dict[str, str]:
    """Every colour token as `#rrggbb` in one scheme: 0 is light, 1 is dark."""
    found = dict(re.findall(r"--([\w-]+):\s*([^;]+);", TOKENS.read_text()))

    def value(text: str) -> str:
        if match := re.fullmatch(r"light-dark\((.+?),\s*(.+)\)", text):
            return value(match[scheme + 1])
        if match := re.fullmatch(r"var\(--([\w-]+)\)", text):
            return value(found[match[1]])
        return text

    return {name: value(text) for name, text in found.items()}


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS, ids=lambda value: str(value))
def test_text_stands_out_from_its_ground(text: str, ground: str, least: float, scheme: int) -> None:
    colours = tokens(scheme)
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least
