"""Sites, cameras, sources and model versions: short names once, tokens shown once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from accounts.exceptions import Conflict
from accounts.models import AuditEntry
from accounts.tokens import token_hash
from inference.actions.sites import (
    create_camera,
    create_site,
    create_source,
    register_model_version,
    revoke_source,
)
from inference.models import Source
from inference.models.site import SLUG_LENGTH, camera_slug
from tests.factories import Place

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_short_name_is_taken_once(place: Place) -> None:
    for again in (
        lambda: create_site(slug="yard", name="Other", maker=None, now=NOW),
        lambda: create_camera(site=place.site, slug="cam-1", name="Other", maker=None),
    ):
        with pytest.raises(Conflict) as refused, transaction.atomic():
            again()
        assert refused.value.code == "slug_taken"


def test_two_sites_may_use_the_same_names(place: Place, elsewhere: Place) -> None:
    assert place.camera.slug == elsewhere.camera.slug
    assert place.camera.pk != elsewhere.camera.pk


def test_only_the_hash_of_a_token_is_kept(place: Place) -> None:
    source, token = create_source(site=place.site, name="gate", maker=None)
    assert token.startswith("sls_")
    assert len(token) >= 40
    assert source.token_hash == token_hash(token)
    row = Source.objects.filter(pk=source.pk).values().get()
    assert token not in str(row)
    assert token not in str(list(AuditEntry.objects.values()))


def test_a_source_is_live_from_making_to_revoking(place: Place) -> None:
    source, _token = create_source(site=place.site, name="gate", maker=None, ends_at=NOW + timedelta(days=1))
    assert source in Source.objects.live(NOW)
    assert source not in Source.objects.live(NOW + timedelta(days=1))
    revoke_source(source=source, person=None, now=NOW)
    assert source not in Source.objects.live(NOW)
    with pytest.raises(Conflict):
        revoke_source(source=source, person=None, now=NOW)


def test_a_model_version_is_registered_once(place: Place) -> None:
    register_model_version(site=place.site, name="m", version="1", maker=None, sha256="a" * 64)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        register_model_version(site=place.site, name="m", version="1", maker=None, sha256="b" * 64)
    assert refused.value.code == "model_known"


@pytest.mark.parametrize("name", ["line-3-top", "cam_1", "A1", "x" * SLUG_LENGTH])
def test_a_name_that_is_short_already_stays(name: str) -> None:
    assert camera_slug(name) == name if name == name.lower() else camera_slug(name) != name


@pytest.mark.parametrize("name", ["Line 3", "カメラ", "!!!", "x" * 61, "x" * 100, " ", "a/b", "../../x", "CON"])
def test_any_other_name_gets_one_that_fits_and_is_always_the_same(name: str) -> None:
    slug = camera_slug(name)
    assert slug == camera_slug(name)
    assert 1 <= len(slug) <= SLUG_LENGTH
    assert slug.replace("-", "").replace("_", "").isalnum()
    assert slug.isascii()
