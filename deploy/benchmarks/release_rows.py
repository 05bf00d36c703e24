"""How fast annotation files of a release are written, beside a writer that holds everything.

Synthetic frozen rows with three boxes each in a database of their own. COCO and lineage are written in one pass as a
build does it, then COCO alone, then COCO is read again as verification does it, and then both are written by
`json.dump` of one big object. Each runs in a process of its own; memory is the growth of that process's peak.

    python -m deploy.benchmarks.release_rows [--rows 20000] [--json]
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 1, tzinfo=UTC)
BOXES = [{"class": index, "box": [10.5 + 40 * index, 20.25, 120.125, 300.5]} for index in range(3)]
CLASSES = [{"index": index, "name": name, "retired": False} for index, name in enumerate(["person", "forklift", "dog"])]


def set_up(folder: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "deploy.settings.embedded"
    os.environ.setdefault("SECONDLOOK_SECRET_KEY", "only-for-this-benchmark")
    os.environ["SECONDLOOK_DATA"] = str(folder)
    import django

    django.setup()


def fill(rows: int) -> Any:
    """A database with a frozen release of so many rows, all of one event's kind."""
    from django.core.management import call_command
    from django.db import transaction

    from accounts.models import User
    from inference.models import Camera, Site, Source
    from review.models import Queue, Release, Taxonomy

    call_command("migrate", verbosity=0)
    site = Site.objects.create(slug="yard", name="Yard")
    taxonomy = Taxonomy.objects.create(site=site, slug="things", name="Things")
    queue = Queue.objects.create(site=site, slug="doubtful", name="Doubtful", taxonomy=taxonomy)
    camera = Camera.objects.create(site=site, slug="gate", name="Gate")
    source = Source.objects.create(site=site, name="agent", token_hash="0")
    person = User.objects.create(username="operator")
    recipe = {"formats": ["coco"], "taxonomy": {"classes": CLASSES}}
    release = Release.objects.create(
        site=site, taxonomy=taxonomy, number=1, recipe=recipe, total=rows, created_at=START, touched_at=START
    )
    with transaction.atomic():
        for positions in batched(range(rows), 1000):
            fill_batch(release, queue, camera, source, person, positions)
    return release


def fill_batch(release: Any, queue: Any, camera: Any, source: Any, person: Any, positions: tuple[int, ...]) -> None:
    from review.models import Claim, Ended, Event, Evidence, Item, ItemState, Outcome, ReleaseRow, Verdict

    site, name = release.site, "person"
    predictions = [{"id": f"p{n}", "class": name, "confidence": 0.4, "box": [10.5, 20, 120, 300]} for n in range(3)]
    made: dict[Any, list[Any]] = {model: [] for model in (Event, Evidence, Item, Claim, Verdict, ReleaseRow)}
    for position in positions:
        sha256 = f"{position:064x}"
        event = Event(
            site=site, source=source, event_id=uuid.uuid4(), digest=sha256, captured_at=START, received_at=START,
            kind="unsure", camera=camera, model_name="detector", model_version_name="1", task="detection",
            frame_width_px=1280, frame_height_px=720, predictions=predictions, subject=["p1"],
        )  # fmt: skip
        file = Evidence(
            site=site, sha256=sha256, content_type="image/jpeg", size=1, width=1280, height=720, stored_at=START
        )
        item = Item(
            event=event, site=site, queue=queue, state=ItemState.DECIDED, due_at=START, created_at=START,
            outcome=Outcome.CORRECTED, decided_at=START, verdict_id=uuid.uuid4(),
        )  # fmt: skip
        claim = Claim(
            item=item, holder=person, created_at=START, expires_at=START, ended_at=START, ended=Ended.ANSWERED
        )
        verdict = Verdict(
            id=item.verdict_id, item=item, person=person, claim=claim, key=uuid.uuid4(), digest=sha256, item_version=1,
            answer="correct", complete=True, created_at=START, final_at=START,
            labels=[{"class": name, "box": box["box"], "prediction": "p1"} for box in BOXES],
        )  # fmt: skip
        content = {
            "path": f"images/train/{position:016x}.jpg", "width": 1280, "height": 720, "outcome": "corrected",
            "complete": True, "labels": BOXES, "ignore": [], "also": [],
        }  # fmt: skip
        row = ReleaseRow(
            release=release, position=position, item=item, event=event, verdict=verdict, evidence=file,
            group=sha256, split="train", content=content,
        )  # fmt: skip
        for one in (event, file, item, claim, verdict, row):
            made[type(one)].append(one)
    for model, rows in made.items():
        model.objects.bulk_create(rows)


def write_as_a_build_does(release: Any, folder: Path) -> None:
    from review.releases.formats import FORMATS
    from review.releases.lineage import Lineage, LineageWriter
    from review.releases.recipe import Head

    lines, coco = LineageWriter(folder), FORMATS["coco"].whole(Head.of(release), folder)
    for picture, record in Lineage(release).records():
        lines.add(record)
        coco.add(picture)
    lines.finish()
    coco.finish()


def write_coco_only(release: Any, folder: Path) -> None:
    from review.releases import frozen
    from review.releases.formats import FORMATS
    from review.releases.recipe import Head

    coco = FORMATS["coco"].whole(Head.of(release), folder)
    for picture in frozen.pictures(release):
        coco.add(picture)
    coco.finish()


def read_back(release: Any, folder: Path) -> None:
    """What verification reads again of COCO; needs the file of `write_coco_only`."""
    from review.releases import frozen
    from review.releases.formats.coco import read_split
    from review.releases.recipe import Head

    class Files:
        def open(self, name: str) -> Any:
            return (folder / "coco-train.json").open("rb")

        def read(self, name: str) -> bytes:
            raise FileNotFoundError(name)

    for _found in read_split(Head.of(release), Files(), "coco", frozen.pictures(release)):
        pass


def write_naively(release: Any, folder: Path) -> None:
    """Model instances in one list, and one big object through `json.dump`: COCO and lineage."""
    from review.models import ReleaseRow

    rows = list(
        ReleaseRow.objects.filter(release=release)
        .order_by("position")
        .select_related("event__camera", "verdict", "item", "evidence")
    )
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for row in rows:
        said = row.content
        size = {"width": said["width"], "height": said["height"]}
        images.append({"id": row.position + 1, "file_name": said["path"]} | size)
        for label in said["labels"]:
            box = label["box"]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": row.position + 1, "category_id": label["class"] + 1,
                 "bbox": box, "area": box[2] * box[3], "iscrowd": 0, "segmentation": []}
            )  # fmt: skip
    with (folder / "naive.json").open("w") as file:
        json.dump({"images": images, "annotations": annotations, "categories": CLASSES}, file)
    with (folder / "naive.jsonl").open("w") as file:
        for row in rows:
            record = {
                "file": row.content["path"], "event": str(row.event_id), "predictions": row.event.predictions,
                "labels": row.verdict.labels, "at": row.verdict.created_at.isoformat(),
                "sha256": row.evidence.sha256, "camera": row.event.camera and row.event.camera.slug,
            }  # fmt: skip
            file.write(json.dumps(record) + "\n")


WAYS: dict[str, Callable[[Any, Path], None]] = {
    "COCO and lineage, as a build": write_as_a_build_does,
    "COCO only": write_coco_only,
    "COCO read back": read_back,
    "COCO and lineage, naively": write_naively,
}


def peak_bytes() -> int:
    """The process's peak of resident memory so far; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def child(folder: Path, way: str, answers: Any) -> None:
    """Run one way in a process of its own, so that its peak of memory is its own."""
    set_up(folder)
    from django.db import connection

    from review.models import Release

    # Mapped pages of the database file would count as this process's memory.
    connection.cursor().execute("PRAGMA mmap_size=0")
    release = Release.objects.select_related("site").get()
    before, began, worked = peak_bytes(), time.perf_counter(), time.process_time()
    WAYS[way](release, folder)
    answers.put((time.perf_counter() - began, time.process_time() - worked, peak_bytes() - before))


def filled(folder: Path, rows: int) -> None:
    set_up(folder)
    fill(rows)


def measure(rows: int) -> Iterator[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        filler = context.Process(target=filled, args=(folder, rows))
        filler.start()
        filler.join()
        for way in WAYS:
            answers = context.Queue()
            process = context.Process(target=child, args=(folder, way, answers))
            process.start()
            seconds, cpu_s, grown = answers.get()
            process.join()
            yield {
                "way": way,
                "rows": rows,
                "rows_per_s": round(rows / seconds),
                "rows_per_cpu_s": round(rows / cpu_s),
                "peak_growth_mb": round(grown / 1e6, 1),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description="Annotation rows per second of a release.")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000], help="how many; several to see memory grow")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [result for rows in options.rows for result in measure(rows)]
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        for one in results:
            speed = f"{one['rows_per_s']:>8}/s  {one['rows_per_cpu_s']:>8}/cpu s"
            print(f"{one['rows']:>8} rows  {speed}  {one['peak_growth_mb']:>8} MB  {one['way']}")


if __name__ == "__main__":
    main()
