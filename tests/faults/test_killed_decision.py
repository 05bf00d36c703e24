"""F03: the server is killed around the commit of a verdict: all of it is kept or none, and its key decides once."""

import httpx
import pytest

from tests.faults.dying import AFTER_COMMIT, BEFORE_ANSWER, BEFORE_COMMIT, HEADER
from tests.faults.invariants import doubled_keys, impossible_items, query_of, verdicts_without_their_story
from tests.faults.ledger import Ledger
from tests.faults.product import Product, claimed, confirmation

pytestmark = pytest.mark.slow
KEPT = {BEFORE_COMMIT: 0, AFTER_COMMIT: 1, BEFORE_ANSWER: 1}


@pytest.fixture
def settings_module() -> str:
    """The embedded server that can be told to die."""
    return "tests.faults.dying_settings"


def test_a_verdict_is_kept_whole_or_not_at_all_and_decides_once(embedded: Product, ledger: Ledger) -> None:
    ledger.until(len(KEPT))
    ledger.stop()
    for point, kept in KEPT.items():
        before = verdicts(embedded)
        with embedded.operator() as client:
            one = claimed(embedded, client)
            path, body = f"/items/{one['item']['id']}/verdicts", confirmation(one)
            with pytest.raises(httpx.TransportError):
                client.post(path, json=body, headers={HEADER: point})
        assert embedded.process is not None
        assert embedded.process.wait(10) == -9
        assert verdicts(embedded) == before + kept
        embedded.start()
        with embedded.operator() as client:
            again, third = client.post(path, json=body), client.post(path, json=body)
        assert again.status_code == (200 if kept else 201), again.text
        assert third.json() == again.json()
        assert verdicts(embedded) == before + 1
        query = query_of(embedded)
        assert [*verdicts_without_their_story(query), *impossible_items(query), *doubled_keys(query)] == []


def verdicts(product: Product) -> int:
    return int(query_of(product)("SELECT count(*) FROM review_verdict")[0][0])
