import pytest

from tests.review.releases.builders import Yard


@pytest.fixture
def yard(db: None) -> Yard:
    """A site with one queue, to which a test adds outcomes."""
    return Yard()
