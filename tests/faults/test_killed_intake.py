"""F01: the server is killed at each step of taking an event in; the device sends again, and there is one event."""

import httpx
import pytest

from tests.faults.device import Device, is_there_once
from tests.faults.invariants import doubled_keys, query_of
from tests.faults.product import Product
from tests.faults.tracing import injected, pid_of, require_strace

pytestmark = pytest.mark.slow
# Which call of its kind, of a picture in a new folder: before the bytes are synced, before they have their name, before
# that is synced, before the rows are written, before they are synced, and before anybody hears of it.
STEPS = [("fsync", 2), ("rename", 1), ("fsync", 3), ("pwrite64", 1), ("fdatasync", 1), ("sendto", 1)]


def test_whatever_step_it_dies_at_the_repeat_is_stored_once(embedded: Product) -> None:
    require_strace()
    first, *devices = (Device(embedded, number) for number in range(len(STEPS) + 1))
    assert first.post().status_code == 201
    for device, (call, number) in zip(devices, STEPS, strict=True):
        with injected(pid_of(embedded), call, f"signal=KILL:when={number}"), pytest.raises(httpx.TransportError):
            device.post()
        assert embedded.process is not None
        assert embedded.process.wait(10) == -9
        embedded.start()
        assert device.post().status_code in {200, 201}
        assert device.post().status_code == 200
    for device in devices:
        is_there_once(device)
    assert doubled_keys(query_of(embedded)) == []
    found = embedded.checked()
    assert found["files"] == []
    assert found["audit"]["ok"], found["audit"]["errors"]
