"""What people call the browser and the system behind a User-Agent header."""

import re

from django.utils.translation import gettext as _

BROWSERS = [("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]
SYSTEMS = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
]


def browser_name(agent: str) -> str:
    """`Firefox 140 on Linux`; the first word of an unusual one, and "unknown browser" for none."""
    found = next(((mark, name) for mark, name in BROWSERS if f"{mark}/" in agent), None)
    if found is None:
        return agent.split(" ")[0][:40] or _("unknown browser")
    version = re.search(rf"(?:Version|{found[0]})/(\d+)", agent)
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    called = f"{found[1]} {version[1]}" if version else found[1]
    return _("%(browser)s on %(system)s") % {"browser": called, "system": system} if system else called
