"""`lineage.jsonl`: for every picture the event, the model's answer, the people's answer, and who decided when.

One JSON object a line, in the order of the pictures, in UTF-8 (https://jsonlines.org). People appear by pseudonym: the
same person has the same one in every release of a site, and without the site's key nobody can tell whose it is.
"""

import hmac
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from review.models import Release, Routing

from .contents import Picture
from .formats import FORMATS
from .formats.interface import Files, Unreadable
from .frozen import PICTURE, batches, picture, text

NAME = "lineage.jsonl"
PSEUDONYM_DIGITS = 16
COLUMNS = (
    "position",
    "split",
    "content",
    "group",
    "item_id",
    "item__outcome",
    "item__sampling_probability",
    "evidence__sha256",
    "event_id",
    "event__event_id",
    "event__source_id",
    "event__camera__slug",
    "event__captured_at",
    "event__kind",
    "event__flags",
    "event__model_name",
    "event__model_version_name",
    "event__model_sha256",
    "event__task",
    "event__reporting_floor",
    "event__thresholds",
    "event__frame_width_px",
    "event__frame_height_px",
    "event__predictions",
    "event__subject",
    "verdict_id",
    "verdict__person_id",
    "verdict__answer",
    "verdict__complete",
    "verdict__labels",
    "verdict__created_at",
)
# JSON that is passed on as it is stored, or read here.
AS_TEXT = {"content", "event__flags", "event__thresholds", "event__predictions", "event__subject", "verdict__labels"}
QUERY = [text(name) if name in AS_TEXT else name for name in COLUMNS]
EVENT = COLUMNS.index("event_id")
ENCODER = msgspec.json.Encoder()


class Lineage:
    """Makes the lines, and counts on the way what the manifest tells about people, models and policies."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.formats = {name: FORMATS[name] for name in release.recipe["formats"]}
        self.people: Counter[str] = Counter()
        self.models: Counter[tuple[str, str, str]] = Counter()
        self.policies: Counter[int] = Counter()
        key = bytes(release.site.sampling_key)
        self.pseudonym = cache(lambda person_id: pseudonym(key, person_id))

    def records(self) -> Iterator[tuple[Picture, dict[str, Any]]]:
        """Every picture with its record, in order."""
        for batch in batches(self.release, *QUERY):
            routed = routings([row[EVENT] for row in batch])
            for row in batch:
                yield self.record(dict(zip(COLUMNS, row, strict=True)), routed)

    def record(self, row: dict[str, Any], routed: dict[UUID, dict[str, Any]]) -> tuple[Picture, dict[str, Any]]:
        content = msgspec.json.decode(row["content"])
        picture = Picture.from_json(row["position"], row["split"], content)
        policy = routed.get(row["event_id"])
        person = self.pseudonym(row["verdict__person_id"])
        model = (row["event__model_name"], row["event__model_version_name"], row["event__model_sha256"])
        self.people[person] += 1
        self.models[model] += 1
        if policy:
            self.policies[policy["version"]] += 1
        return picture, {
            "position": picture.position,
            "file": picture.path,
            "split": picture.split,
            "group": row["group"],
            "formats": [name for name, one in self.formats.items() if one.takes(picture)],
            "evidence": {"sha256": row["evidence__sha256"], "width": picture.width, "height": picture.height},
            "event": {
                "id": str(row["event_id"]),
                "event_id": str(row["event__event_id"]),
                "source": str(row["event__source_id"]),
                "camera": row["event__camera__slug"],
                "captured_at": row["event__captured_at"].isoformat(),
                "kind": row["event__kind"],
                "flags": msgspec.Raw(row["event__flags"]),
            },
            "model": {
                "name": model[0],
                "version": model[1],
                "sha256": model[2],
                "task": row["event__task"],
                "reporting_floor": row["event__reporting_floor"],
                "thresholds": msgspec.Raw(row["event__thresholds"]),
                "frame": [row["event__frame_width_px"], row["event__frame_height_px"]],
                "predictions": msgspec.Raw(row["event__predictions"]),
                "subject": msgspec.Raw(row["event__subject"]),
            },
            "policy": policy,
            "verdict": {
                "id": str(row["verdict_id"]),
                "by": person,
                "at": row["verdict__created_at"].isoformat(),
                "answer": row["verdict__answer"],
                "complete": row["verdict__complete"],
                "labels": msgspec.Raw(row["verdict__labels"]),
            },
            "outcome": row["item__outcome"],
            "item": str(row["item_id"]),
            "also": content["also"],
            "sampling_probability": row["item__sampling_probability"],
        }

    def summary(self) -> dict[str, Any]:
        """Who and what decided how many pictures, for the manifest."""
        return {
            "people": dict(sorted(self.people.items())),
            "models": [
                {"name": name, "version": version, "sha256": sha256, "pictures": many}
                for (name, version, sha256), many in sorted(self.models.items())
            ],
            "policies": [{"version": version, "pictures": many} for version, many in sorted(self.policies.items())],
        }


class LineageWriter:
    """Writes the lines into a file of `folder`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.file = self.path.open("wb")

    def add(self, record: dict[str, Any]) -> None:
        self.file.write(ENCODER.encode(record) + b"\n")

    def finish(self) -> list[tuple[str, Path]]:
        self.file.close()
        return [(NAME, self.path)]

    def close(self) -> None:
        """Let go of the file, also after a failure."""
        self.file.close()


def routings(events: list[UUID]) -> dict[UUID, dict[str, Any]]:
    """For every event the policy version and rule that brought it before people: the latest such routing."""
    rows = Routing.objects.filter(event__in=events, policy__isnull=False).order_by("pk")
    columns = rows.values_list("event_id", "policy__version", "rule_name", "rule_key", "probability")
    return {
        event: {"version": version, "rule": rule, "key": str(key) if key else None, "probability": probability}
        for event, version, rule, key, probability in columns
    }


def pseudonym(key: bytes, person_id: int) -> str:
    """HMAC-SHA256 of a person under the site's key, shortened."""
    return hmac.digest(key, f"person:{person_id}".encode(), "sha256").hex()[:PSEUDONYM_DIGITS]


def check(release: Release, files: Files) -> Iterator[Picture]:
    """Compare the written lines with the frozen rows, yielding each picture. Raises Unreadable."""
    with files.open(NAME) as file:
        for batch in batches(release, *PICTURE, "evidence__sha256", "verdict_id", "event_id"):
            for position, split, content, sha256, verdict, event in batch:
                frozen = picture(position, split, content)
                try:
                    line = msgspec.json.decode(file.readline())
                    said = (line["position"], line["split"], line["file"], line["evidence"]["sha256"])
                    decided = (line["verdict"]["id"], line["event"]["id"])
                except (msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
                    raise Unreadable(NAME, f"line {position + 1} is not what was written ({error})") from error
                if said != (position, split, frozen.path, sha256) or decided != (str(verdict), str(event)):
                    raise Unreadable(NAME, f"line {position + 1} tells of another picture than was frozen")
                yield frozen
        if file.readline():
            raise Unreadable(NAME, "there are more lines than pictures")
