"""Browsers that are shared workstations, for tests: one with people on shift at it."""

from datetime import timedelta
from typing import Any

from django.core.signing import dumps
from django.test import Client
from django.utils import timezone

from accounts.actions.workstation import share
from accounts.lock import COOKIE_SALT, cookie_name
from accounts.models import Shift, User, Workstation
from accounts.models.workstation import SHIFT
from tests.factories import sign_in

PIN = "7391"
PAGE = {"HTTP_ACCEPT": "text/html"}
SCRIPT = {"HTTP_X_REQUESTED_WITH": "fetch"}


def make_workstation(maker: User, *, site_id: Any = None, name: str = "Gate 2") -> Workstation:
    return share(name=name, site_id=site_id, maker=maker, now=timezone.now())


def browser(workstation: Workstation | None = None) -> Client:
    """A browser, at the workstation if there is one."""
    client = Client()
    if workstation is not None:
        client.cookies[cookie_name()] = dumps(str(workstation.pk), salt=COOKIE_SALT)
    return client


def at_work(client: Client, person: User, pin: str = PIN) -> Shift:
    """`person` fully signs in at the browser and sets a PIN."""
    sign_in(client, person)
    client.get("/me/workstation/")
    if pin:
        client.post("/me/workstation/pin/", {"pin": pin, "again": pin})
    return Shift.objects.get(pk=client.session[SHIFT])


def untouched(shift: Shift, minutes: float) -> None:
    """As if nobody had touched the browser for so long."""
    Shift.objects.filter(pk=shift.pk).update(last_active_at=timezone.now() - timedelta(minutes=minutes))


def unlock(client: Client, code: str, person: User | None = None, **more: str) -> Any:
    data = {"code": code, "person": str(person.public_id) if person else ""} | more
    return client.post("/lock/unlock/", data)


def who(client: Client) -> str:
    """The sign-in name of whom the browser's session lets in; empty for nobody."""
    answer = client.get("/me/workstation/", **PAGE)
    return str(answer.context["user"].username) if answer.status_code == 200 else ""
