"""What tests of the review loop share."""

import pytest

from accounts.models import User
from accounts.roles import Role
from tests.factories import Place, make_person


@pytest.fixture
def second(place: Place) -> User:
    """Another operator of the same site."""
    return make_person("two", Role.OPERATOR, place.site)
