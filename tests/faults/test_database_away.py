"""F05: PostgreSQL frozen, killed, and back: a clear answer within the time-out, and work goes on without a restart."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults import invariants
from tests.faults.ledger import Ledger
from tests.faults.product import Product, review
from tests.faults.services import Postgres, wait

pytestmark = pytest.mark.slow
# The answer is due after three seconds (`production` sets that); the rest is for a busy machine.
ANSWER_S = 8
# As many requests hang as there are threads, and more.
ASKED = 12


def test_it_answers_that_it_cannot_and_goes_on_by_itself(
    production: Product, database: Postgres, ledger: Ledger
) -> None:
    ledger.until(5)
    database.freeze()
    refuses_clearly(production)
    refuses_many(production)
    database.resume()
    works_again(production, ledger)
    database.kill()
    refuses_clearly(production)
    database.start()
    works_again(production, ledger)
    ledger.stop()
    assert 503 in ledger.statuses
    assert production.process is not None
    assert production.process.poll() is None
    invariants.check(production, ledger)


def refuses_clearly(product: Product) -> None:
    """A program gets 503 and when to ask again; whoever watches the process sees that it lives and cannot work."""
    with product.client(product.site["people"]["operator"]["token"], timeout=ANSWER_S) as client:
        answer = client.get("/queues")
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    address = f"http://127.0.0.1:{product.port}"
    assert httpx.get(f"{address}/healthz", timeout=ANSWER_S).status_code == 200
    assert httpx.get(f"{address}/readyz", timeout=ANSWER_S).status_code == 503


def refuses_many(product: Product) -> None:
    """Each of them is answered in time, although every thread of the server hangs."""

    def ask(_number: int) -> int:
        with product.client(product.site["people"]["operator"]["token"], timeout=ANSWER_S) as client:
            return client.get("/queues").status_code

    with ThreadPoolExecutor(ASKED) as pool:
        assert set(pool.map(ask, range(ASKED))) == {503}


def works_again(product: Product, ledger: Ledger) -> None:
    wait(product.answers, "it does not come back by itself")
    ledger.until(3)
    review(product, 1)
