"""Evidence in an object store: streamed through this process, no address of the bucket reaches a browser."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.test import Client
from moto.server import ThreadedMotoServer

from accounts.models import User
from review import evidence_store
from review.models import Evidence
from review.tasks.renditions import make_renditions
from tests.doors import content
from tests.factories import Place, jpeg, make_item, sign_in

PICTURE = jpeg((10, 20, 30))
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket in a server of its own; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address, **KEYS).create_bucket(Bucket="evidence")
    yield address
    server.stop()


@pytest.fixture
def boss(bucket: str, settings: Any, supervisor: User) -> Client:
    options = {"bucket_name": "evidence", "endpoint_url": bucket, "access_key": "test", "secret_key": "test"}
    store = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options | {"region_name": "us-east-1"}}
    settings.STORAGES = settings.STORAGES | {"default": store}
    settings.SECONDLOOK = settings.SECONDLOOK | {"ACCEL_PREFIX": "/_files/"}
    client = Client()
    sign_in(client, supervisor)
    return client


def test_pictures_and_originals_come_through_us(boss: Client, place: Place, bucket: str) -> None:
    """A06: whole and in ranges, with no redirect and no header that names the bucket."""
    make_item(place, picture=PICTURE)
    evidence = Evidence.objects.get()
    make_renditions.func(str(evidence.pk))
    assert evidence_store.local_path(evidence.path) is None
    answer = boss.get(f"/media/{evidence.pk}/original/")
    assert (answer.status_code, content(answer)) == (200, PICTURE)
    part = boss.get(f"/media/{evidence.pk}/original/", headers={"Range": "bytes=5-9"})
    assert (part.status_code, content(part)) == (206, PICTURE[5:10])
    picture = boss.get(f"/media/{evidence.pk}/working/")
    assert content(picture).startswith(b"\xff\xd8")
    for told in (answer, part, picture):
        assert not {"Location", "X-Accel-Redirect"} & set(told.headers)
        assert bucket not in str(dict(told.items()))


def test_what_is_not_in_the_bucket_is_nothing(boss: Client, place: Place) -> None:
    make_item(place, picture=PICTURE)
    evidence = Evidence.objects.get()
    evidence_store.file_store().delete(evidence.path)
    assert boss.get(f"/media/{evidence.pk}/original/").status_code == 404
    assert boss.get(f"/media/{evidence.pk}/working/").status_code == 404
