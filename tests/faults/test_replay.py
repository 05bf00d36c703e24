"""A32: the identical request many times at once is one event, and everybody gets a good answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.faults.device import Device, is_there_once
from tests.faults.product import Product

pytestmark = pytest.mark.slow
TIMES = 50


@pytest.fixture
def answer_seconds() -> str:
    """Fifty at once on a busy machine are no fault of a service."""
    return "60"


def test_fifty_at_once_are_one_event_on_sqlite(embedded: Product) -> None:
    fifty_at_once(embedded)


def test_fifty_at_once_are_one_event_on_postgresql(production: Product) -> None:
    fifty_at_once(production)


def fifty_at_once(product: Product) -> None:
    device, gate = Device(product, 1), Barrier(TIMES)
    device.client.timeout = 60

    def post(_number: int) -> tuple[int, str, str]:
        gate.wait(timeout=60)
        answer = device.post()
        return answer.status_code, answer.json()["id"], answer.json()["status"]

    with ThreadPoolExecutor(TIMES) as pool:
        answers = list(pool.map(post, range(TIMES)))
    assert len({key for _code, key, _status in answers}) == 1
    told = sorted((code, status) for code, _key, status in answers)
    assert told == [(200, "duplicate")] * (TIMES - 1) + [(201, "created")]
    is_there_once(device)
