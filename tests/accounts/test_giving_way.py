"""Background work beside a server lets requests go first; elsewhere it does not rest."""

import threading
from unittest.mock import patch

from accounts import giving_way


def rests(work: bool) -> int:
    """How often a thread rests that asks three times; `work`: it works beside a server."""
    with patch("accounts.giving_way.time.sleep") as slept:

        def run() -> None:
            if work:
                giving_way.begin()
            for _time in range(3):
                giving_way.give_way()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return slept.call_count


def test_a_thread_beside_a_server_rests_and_others_do_not() -> None:
    assert (rests(work=True), rests(work=False)) == (3, 0)
