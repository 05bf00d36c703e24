"""F09 and its neighbours: a disk that fails or is full costs a 503 with a code, and nothing else."""

from pathlib import Path

import httpx
import pytest

from tests.faults.device import Device, is_there_once
from tests.faults.invariants import doubled_keys, query_of
from tests.faults.product import Product, review
from tests.faults.tracing import injected, pid_of, require_strace

pytestmark = pytest.mark.slow
FILES = [
    ("fsync", "EIO", "storage_unavailable"),
    ("write", "ENOSPC", "storage_full"),
    ("write", "EDQUOT", "storage_full"),
    ("rename", "EIO", "storage_unavailable"),
    ("mkdir", "EACCES", "storage_unavailable"),
]
DATABASE = [("fdatasync", "EIO", "busy"), ("pwrite64", "ENOSPC", "busy"), ("pwrite64", "EIO", "busy")]


def refused(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == code


def temporary(product: Product) -> list[Path]:
    return [path for path in (product.folder / "media").rglob("*") if path.name.endswith(".tmp")]


def test_a_fault_of_the_disk_is_never_a_good_answer_and_the_repeat_is_stored_once(embedded: Product) -> None:
    require_strace()
    devices = []
    for number, (call, error, code) in enumerate(FILES + DATABASE):
        device, later = Device(embedded, 2 * number), Device(embedded, 2 * number + 1)
        devices += [device, later]
        assert later.announce().status_code == 201
        with injected(pid_of(embedded), call, f"error={error}"):
            refused(device.post(), code)
            refused(device.post(), code)
            refused(later.put(), code)
            refused(later.put_as_part(), code)
            if (call, error, code) in FILES:
                # People who review need no room for new files.
                review(embedded, 1)
        assert temporary(embedded) == []
        assert [device.post().status_code for _ in range(2)] == [201, 200]
        assert later.put_as_part().status_code == 201
        assert later.put().status_code == 200
    for device in devices:
        is_there_once(device)
    assert embedded.process is not None
    assert embedded.process.poll() is None
    assert doubled_keys(query_of(embedded)) == []
    found = embedded.checked()
    assert found["files"] == []
    # An anchor that was to have its first note while the disk failed gets it a minute later.
    assert [one for one in found["audit"]["errors"] if one["code"] != "anchor_empty"] == []


def test_one_sync_that_fails_among_others_is_not_overlooked(embedded: Product) -> None:
    """Of a new folder, of the bytes, of their name: in this order, and each alone."""
    require_strace()
    first, *devices = (Device(embedded, number) for number in range(4))
    assert first.post().status_code == 201
    for number, device in enumerate(devices, start=1):
        with injected(pid_of(embedded), "fsync", f"error=EIO:when={number}"):
            refused(device.post(), "storage_unavailable")
        assert temporary(embedded) == []
        assert [device.post().status_code for _ in range(2)] == [201, 200]
        is_there_once(device)
