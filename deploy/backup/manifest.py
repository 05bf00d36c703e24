"""`manifest.json`: what a backup is, and the digest of each of its parts. It is written last."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.backup.copying import digest_of, write_private
from deploy.backup.exceptions import Damaged, Unusable

FORMAT = 1
NAME = "manifest.json"
FILES = "files.jsonl"
MEDIA = "media"


@dataclass(frozen=True)
class Manifest:
    """`parts` are the sha256 of every file of the backup but those below `media/`, which `files.jsonl` lists."""

    id: str
    taken_at: str
    version: str
    vendor: str
    embedded: bool
    migrations: dict[str, list[str]]
    counts: dict[str, int]
    # The last checkpoint of the audit trail at that time: size and signed note; empty when nothing was sealed yet.
    sealed: dict[str, Any]
    parts: dict[str, str]
    # Names of files that rows pointed to and that were missing or not what was stored, with what was wrong.
    problems: dict[str, str]
    secrets: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        body = asdict(self)
        write_private(folder / NAME, json.dumps(body | {"sha256": own_digest(body)}, indent=1).encode())


def own_digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises Unusable or Damaged."""
    try:
        body = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unusable(f"{folder} is no backup: it has no {NAME}.") from None
    except (ValueError, OSError) as error:
        raise Damaged(NAME, f"cannot be read ({error})") from None
    if not isinstance(body, dict) or "sha256" not in body:
        raise Damaged(NAME, "is not what was written")
    if isinstance(body.get("format"), int) and body["format"] > FORMAT:
        raise Unusable(
            f"This backup has format {body['format']}; this version reads up to {FORMAT}. "
            "Restore it with the version of Second Look that took it, or a newer one."
        )
    if body.pop("sha256") != own_digest(body):
        raise Damaged(NAME, "is not what was written")
    return Manifest(**body)


def check_parts(folder: Path, manifest: Manifest) -> None:
    """Raises Damaged for the first part that is missing or not what was written."""
    for name, sha256 in manifest.parts.items():
        path = folder / name
        if not path.is_file():
            raise Damaged(name, "is missing")
        if digest_of(path) != sha256:
            raise Damaged(name, "is not what was written")
