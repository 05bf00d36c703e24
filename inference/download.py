"""The agent as this server hands it out: a wheel of the device's parts and the locked packages that it needs.

The wheel is written here, byte for byte the same for the same files: a server has no build tools, and nobody builds
for it.
"""

import base64
import hashlib
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("inference/vision", "inference/edge", "inference/client", "inference/frigate")
COMMAND = "secondlook-edge"
REQUIREMENTS = "edge.txt"
FRIGATE_REQUIREMENTS = "frigate.txt"
LISTS = (REQUIREMENTS, FRIGATE_REQUIREMENTS)
EXTRA = "frigate"
# A zip has no time before this one; a real one would give every server another digest.
_THEN = (1980, 1, 1, 0, 0, 0)


@cache
def project() -> dict[str, Any]:
    """What pyproject.toml says of the package."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def wheel_name() -> str:
    return f"{project()['name']}-{project()['version']}-py3-none-any.whl"


def requirements(name: str) -> bytes:
    """The locked packages of a device, or of one beside Frigate, each with its digests; `name` is one of `LISTS`."""
    return (ROOT / "deploy" / "requirements" / name).read_bytes()


@cache
def wheel() -> bytes:
    """The wheel: the device's parts and the command `secondlook-edge`; nothing of the server."""
    info = f"{project()['name']}-{project()['version']}.dist-info"
    files = dict(sources()) | {
        f"{info}/METADATA": metadata(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: secondlook\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/LICENSE": (ROOT / "LICENSE").read_bytes(),
        f"{info}/entry_points.txt": f"[console_scripts]\n{COMMAND} = {project()['scripts'][COMMAND]}\n".encode(),
    }
    lines = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _THEN)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def sources() -> Iterator[tuple[str, bytes]]:
    """The Python files of the device's parts, by their place in the wheel."""
    yield "inference/__init__.py", (ROOT / "inference" / "__init__.py").read_bytes()
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def metadata() -> bytes:
    about = project()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {about['name']}",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"License: {about['license']}",
        f"Requires-Python: {about['requires-python']}",
        *(f"Requires-Dist: {needed}" for needed in about["dependencies"]),
        f"Provides-Extra: {EXTRA}",
        *(f'Requires-Dist: {needed}; extra == "{EXTRA}"' for needed in about["optional-dependencies"][EXTRA]),
    ]
    return ("\n".join(lines) + "\n").encode()


def digest(content: bytes) -> str:
    """As RECORD wants it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
