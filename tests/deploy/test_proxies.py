"""What a stranger says about his address, his scheme and his host is not believed."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from deploy.proxies import TOLD_BY_PROXIES, TrustedProxiesMiddleware


@pytest.fixture(autouse=True)
def proxies(settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"TRUSTED_PROXIES": ["10.0.0.0/8"]}


def left(address: str) -> set[str]:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": address, "HTTP_HOST": "x"} | dict.fromkeys(TOLD_BY_PROXIES, "198.51.100.9")
    TrustedProxiesMiddleware(lambda _request: HttpResponse())(request)
    return set(request.META) & set(TOLD_BY_PROXIES)


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7"])
def test_a_proxy_of_ours_is_believed_also_on_a_dual_stack_socket(address: str) -> None:
    assert left(address) == set(TOLD_BY_PROXIES)


@pytest.mark.parametrize("address", ["192.0.2.1", "", "::1", "::ffff:192.0.2.1", "10.0.0.7, 192.0.2.1"])
def test_nobody_else_is(address: str) -> None:
    assert left(address) == set()


def test_a_stranger_does_not_make_his_request_a_secure_one(db: None, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    assert Client(REMOTE_ADDR="192.0.2.1", headers=headers).get("/healthz").status_code == 301
    assert Client(REMOTE_ADDR="10.0.0.1", headers=headers).get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver:x", "testserver@evil.example", 'a"b', "a b", "testserver/x"]
)
def test_another_host_is_refused(db: None, host: str) -> None:
    answer = Client(headers={"Host": host}).get("/accounts/login/")
    assert answer.status_code == 400
    assert host.encode() not in answer.content
