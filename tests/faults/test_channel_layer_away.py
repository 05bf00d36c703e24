"""F06: Redis flushed, frozen, killed and back: review goes on without it, and open pages hear again once it is back."""

import json
import time
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.faults import invariants
from tests.faults.ledger import Ledger
from tests.faults.product import Product, review
from tests.faults.services import Redis, wait

pytestmark = pytest.mark.slow
HEARS_S = 20


def test_review_goes_on_without_it_and_pages_hear_again(production: Product, cache: Redis, ledger: Ledger) -> None:
    with Page(production) as page:
        page.hears_of_the_queue()
        with cache.client() as client:
            client.flushall()
        page.hears_of_the_queue()
        cache.freeze()
        ledger.until(2)
        review(production, 1)
        cache.resume()
        page.hears_of_the_queue()
        cache.kill()
        ledger.until(2)
        review(production, 1)
        assert not production.answers(), "readyz must say that a part is missing"
        cache.start()
        wait(production.answers, "it does not come back by itself")
        page.hears_of_the_queue()
    ledger.stop()
    invariants.check(production, ledger)


class Page:
    """The live socket of the desk, which connects again when it is closed, as the page's script does."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.socket: ClientConnection | None = None
        self.at_end = ExitStack()

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *error: object) -> None:
        self.at_end.close()

    def open(self) -> ClientConnection:
        host = f"127.0.0.1:{self.product.port}"
        cookie = {"Cookie": self.product.seeded["cookies"]["operator"]}
        made = connect(f"ws://{host}/ws/live/", origin=Origin(f"https://{host}"), additional_headers=cookie)
        return self.at_end.enter_context(made)

    def hears_of_the_queue(self) -> None:
        """A change that is made from now on reaches the page, on this socket or a new one."""
        self.drain()
        deadline = time.monotonic() + HEARS_S
        while time.monotonic() < deadline:
            if self.next_message().get("id") == self.product.queue:
                return
        raise AssertionError("the page hears nothing of its queue")

    def drain(self) -> None:
        """Forget what came before."""
        while self.socket is not None and self.next_message(0.05):
            pass

    def next_message(self, timeout: float = 1) -> dict[str, str]:
        try:
            self.socket = self.socket or self.open()
            found: dict[str, str] = json.loads(self.socket.recv(timeout=timeout))
        except TimeoutError:
            return {}
        except (ConnectionClosed, OSError):
            self.socket = None
            time.sleep(0.2)
            return {}
        return found
