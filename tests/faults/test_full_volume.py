"""F07 and F08: a volume that is really full and later has room again. Nothing is lost, and nobody mends anything."""

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import EMBEDDED, on_services, running
from tests.faults.device import Device, is_there_once
from tests.faults.invariants import doubled_keys, query_of
from tests.faults.product import Product, claimed, confirmation, review
from tests.faults.services import Postgres, Redis

pytestmark = pytest.mark.slow
FILL = 1 << 16


class Volume:
    """A small file system in memory, mounted on a folder that is there; what lies in the folder is copied onto it."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder, self.ballast = folder, folder / "ballast"
        kept = folder.with_name(f"{folder.name}-before")
        folder.rename(kept)
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "secondlook-test", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
        # With its owners: PostgreSQL reads nothing that is not its own.
        subprocess.run(["cp", "-a", f"{kept}/.", str(folder)], check=True)

    def fill(self) -> None:
        """Until not one byte more fits."""
        with self.ballast.open("ab", buffering=0) as file:
            for size in (FILL, 4096, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        self.ballast.unlink()

    def end(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def at_end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def mounted(folder: Path, size: str, at_end: ExitStack) -> Volume:
    volume = Volume(folder, size)
    at_end.callback(volume.end)
    return volume


def refused(answer: httpx.Response, *codes: str) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] in codes


def test_without_room_for_files_people_go_on_and_devices_come_again(
    folder: Path, seeded: Product, at_end: ExitStack
) -> None:
    """F07: files on a volume of their own."""
    shutil.copytree(seeded.folder, folder / "server")
    (folder / "server" / "media").mkdir(exist_ok=True)
    volume = mounted(folder / "server" / "media", "16m", at_end)
    product = Product(folder / "server", **EMBEDDED)
    product.seeded = seeded.seeded
    at_end.enter_context(running(product))
    before, device, later = Device(product, 1), Device(product, 2), Device(product, 3)
    assert before.post().status_code == 201
    volume.fill()
    for _time in range(2):
        refused(device.post(), "storage_full")
    assert later.announce().status_code == 201, "an event without a file needs no room for one"
    refused(later.put(), "storage_full")
    refused(later.put_as_part(), "storage_full")
    review(product, 2)
    assert not [path for path in volume.folder.rglob("*") if path.name.endswith(".tmp")]
    volume.free()
    assert [device.post().status_code for _ in range(2)] == [201, 200]
    assert later.put().status_code in {200, 201}
    for one in (before, device, later):
        is_there_once(one)
    assert product.checked()["files"] == []


def test_a_full_volume_under_everything_loses_nothing_that_was_acknowledged(
    folder: Path, seeded: Product, at_end: ExitStack
) -> None:
    """F08 on SQLite: database, files and keys on one volume; the server is killed while it is full."""
    shutil.copytree(seeded.folder, folder / "server")
    volume = mounted(folder / "server", "96m", at_end)
    product = Product(folder / "server", **EMBEDDED)
    product.seeded = seeded.seeded
    at_end.callback(product.end)
    product.start()
    devices = [Device(product, number) for number in range(1, 5)]
    assert devices[0].post().status_code == 201
    with product.operator() as operator:
        held = claimed(product, operator)
        volume.fill()
        refused(devices[1].post(), "storage_full", "busy")
        refused(devices[2].announce(), "busy")
        refused(operator.post(f"/items/{held['item']['id']}/verdicts", json=confirmation(held)), "busy")
        assert operator.get("/queues").status_code == 200, "what is there can be read"
    product.kill()
    volume.free()
    product.start()
    with product.operator() as operator:
        answer = operator.post(f"/items/{held['item']['id']}/verdicts", json=confirmation(held))
        assert answer.status_code in {200, 201}, "the claim outlived the kill"
    assert [one.post().status_code for one in devices] == [200, 201, 201, 201]
    for one in devices:
        is_there_once(one)
    assert doubled_keys(query_of(product)) == []
    assert product.checked()["files"] == []


def test_a_full_volume_under_postgresql_is_over_once_it_has_room(
    folder: Path, seeded_production: tuple[Postgres, Product], cache: Redis, at_end: ExitStack
) -> None:
    """F08 on PostgreSQL: its cluster on a volume of its own; it may stop meanwhile, and starts again by itself."""
    (folder / "postgres").mkdir()
    database = Postgres(folder / "postgres")
    database.copy_of(seeded_production[0])
    database.stop()
    volume = mounted(folder / "postgres", "256m", at_end)
    at_end.callback(database.kill)
    database.start()
    product = on_services(folder, database, cache.address)
    product.seeded = seeded_production[1].seeded
    at_end.enter_context(running(product))
    kept = [Device(product, number) for number in range(200)]
    assert kept[0].announce().status_code == 201
    volume.fill()
    answers = {}
    for number, device in enumerate(kept[1:], start=1):
        answers[number] = device.announce()
        if answers[number].status_code != 201:
            break
    *acknowledged, last = answers.items()
    refused(last[1], "busy")
    volume.free()
    if not database.answers():
        database.start()
    again = [device.announce().status_code for device in kept[: last[0] + 1]]
    assert again == [200] * (1 + len(acknowledged)) + [201]
    review(product, 1)
