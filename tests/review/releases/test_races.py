"""Two of everything at once, on real connections."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import AuditEntry
from review.models import Release, ReleaseState, SplitPin
from review.releases.build import build
from tests.review.releases.builders import Yard


@pytest.fixture
def yard(transactional_db):
    return Yard()


def at_once(many, work):
    """The results of `work`, started `many` times at the same moment in threads of their own."""
    barrier = Barrier(many)

    def one(_number):
        try:
            barrier.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def test_one_of_four_workers_builds_a_release(yard):
    for place in range(5):
        yard.outcome(camera="one", at=place)
    release = yard.freeze()
    built = [result for result in at_once(4, lambda: build(release.pk)) if result]
    assert [one.state for one in built] == [ReleaseState.READY]
    assert AuditEntry.objects.filter(verb="release.ready").count() == 1


def test_releases_frozen_at_once_get_numbers_of_their_own_and_the_same_splits(yard):
    for _ in range(20):
        yard.outcome()
    at_once(4, yard.freeze)
    releases = list(Release.objects.order_by("number"))
    assert [release.number for release in releases] == [1, 2, 3, 4]
    splits = {tuple(release.rows.order_by("position").values_list("evidence", "split")) for release in releases}
    assert len(splits) == 1
    assert SplitPin.objects.count() == 20
