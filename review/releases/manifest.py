"""`manifest.json`: what a release is made of, with the digest of every other file. ASCII, keys sorted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.utils import translation

from review.models import Release, ReleaseFile

from .json_stream import elements
from .words import reason_text, warning_text

NAME = "manifest.json"
VERSION = 1
BATCH = 1000


def write(release: Release, lineage: dict[str, Any], path: Path) -> None:
    """Write the manifest of a release whose other files are all known. The list of files is streamed."""
    parts = facts(release) | lineage | {"files": None}
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("{")
        for place, key in enumerate(sorted(parts)):
            file.write(("," if place else "") + f"\n{json.dumps(key)}: ")
            if key == "files":
                write_files(release, file)
            else:
                json.dump(parts[key], file, sort_keys=True, indent=1)
        file.write("\n}\n")


def write_files(release: Release, file: IO[str]) -> None:
    file.write("[")
    for place, row in enumerate(files_of(release)):
        said = {"name": row.name, "size": row.size, "sha256": row.sha256}
        file.write(("," if place else "") + "\n" + json.dumps(said, sort_keys=True))
    file.write("\n]")


def files_of(release: Release) -> Iterator[ReleaseFile]:
    """The files that are known, in order of their names, in bounded memory and without an open cursor."""
    last = ""
    while batch := list(release.files.filter(name__gt=last).exclude(name=NAME).order_by("name")[:BATCH]):
        yield from batch
        last = batch[-1].name


def facts(release: Release) -> dict[str, Any]:
    """Everything but the files, the people and the models. Sentences are in English, whatever the server speaks."""
    summary = release.summary
    with translation.override("en"):
        excluded = [
            {"reason": code, "outcomes": many, "means": reason_text(code)} for code, many in summary["excluded"].items()
        ]
        warnings = [{"code": code, "means": warning_text(code)} for code in summary["warnings"]]
    recipe = {key: value for key, value in release.recipe.items() if key != "taxonomy"}
    return {
        "version": VERSION,
        "release": {
            "id": str(release.pk),
            "number": release.number,
            "name": release.name,
            "site": {"id": str(release.site_id), "slug": release.site.slug},
            "frozen_at": release.created_at.isoformat(),
        },
        "recipe": recipe,
        "taxonomy": release.recipe["taxonomy"],
        "counts": {
            key: summary[key]
            for key in (
                "pictures",
                "labels",
                "negatives",
                "partial",
                "ignore_regions",
                "outcomes",
                "classes",
                "formats",
            )
        },
        "splits": summary["splits"],
        "excluded": excluded,
        "left_out": summary["left_out"],
        "unknown_classes": summary["unknown_classes"],
        "merged": summary["merged"],
        "warnings": warnings,
    }


def listed(file: IO[bytes]) -> Iterator[tuple[str, int, str]]:
    """Name, size and SHA-256 of every file that a manifest lists, in its order.

    Raises ValueError, KeyError or TypeError when it is not a manifest as `write` makes them.
    """
    for row in elements(file, "files"):
        yield row["name"], row["size"], row["sha256"]
