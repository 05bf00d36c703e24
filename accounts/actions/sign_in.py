"""What is put on record when people come in, fail to, and leave."""

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest

from accounts import audit, broadcast
from accounts.authentication import strength
from accounts.context import CURRENT
from accounts.models import Session, User
from accounts.models.session import BROWSER_LENGTH
from accounts.throttle import Limit, key_of, shared_or_own

# The first failure of a name from an address is on record at once, further ones in the same minute are not.
FAILURES = Limit("failure", 1, 60)


def signed_in(*, request: HttpRequest, person: User, now: datetime) -> None:
    """Put a full sign-in on record and where it came from; the session has its new key already."""
    with transaction.atomic():
        # From here on the row knows its person, so that it ends with his other sessions.
        request.session.save()
        note_client(request, now)
        audit.record("person.signed_in", actor=person, on=person, methods=strength(request)["methods"])


def note_client(request: HttpRequest, now: datetime) -> None:
    """Keep from which browser and address the session is used, and when."""
    browser = request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:BROWSER_LENGTH]
    address = (request.META.get("REMOTE_ADDR") or "")[:45]
    rows = Session.objects.filter(session_key=request.session.session_key)
    rows.update(seen_at=now, browser=browser, address=address)
    if (row := getattr(request.session, "row", None)) is not None:
        row.seen_at, row.browser, row.address = now, browser, address


def signed_out(*, person: User, now: datetime) -> None:
    with transaction.atomic():
        audit.record("person.signed_out", actor=person, on=person)
        broadcast.rights_changed(person.pk)


def failed(*, name: str, now: datetime, method: str = "password") -> None:
    """Put a wrong name, password or code on record, once a minute for each name and address.

    A name that nobody has is not kept: people type passwords there. The work is the same for both.
    """
    key = key_of(FAILURES, f"{name.casefold()}\0{CURRENT.get().remote_addr}", now.timestamp())
    if not shared_or_own(lambda store: store.add(key, 1, timeout=FAILURES.window_s)):
        return
    person = User.objects.filter(username__iexact=name).order_by("pk").first() if "\0" not in name else None
    with transaction.atomic():
        audit.record("sign_in.failed", actor=None, on=person, method=method)
