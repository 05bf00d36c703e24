"""Second factors of people: which they have, and whether a code is right. Each code works once.

The rows are django-allauth's. A TOTP code is good for its own half minute and the ones beside it, because clocks
differ, and the half minute that was used last is kept, so that a code which somebody saw cannot be used again (RFC
6238, 5.2).
"""

from datetime import datetime
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import transaction

from accounts.adapter import cipher
from accounts.models import User

PERIOD_S = 30
TOLERANCE = 1
Type = Authenticator.Type


def factors_of(person: User) -> list[Authenticator]:
    """What `person` can prove who he is with besides the password, the oldest first; recovery codes too."""
    return list(Authenticator.objects.filter(user=person).order_by("pk"))


def has_factor(person: User) -> bool:
    """Whether sign-in asks for more than the password. Recovery codes alone are no factor."""
    return bool(Authenticator.objects.filter(user=person).exclude(type=Type.RECOVERY_CODES).exists())


def counter_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute for which `code` is right; None for a wrong one."""
    here = int(now.timestamp()) // PERIOD_S
    for counter in range(here - TOLERANCE, here + TOLERANCE + 1):
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            return counter
    return None


def use_code(person: User, code: str, now: datetime) -> Authenticator | None:
    """Use up a code of the app or of the recovery list. Returns what it belonged to; None when it is wrong or used."""
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update().filter(user=person).exclude(type=Type.WEBAUTHN)
        for row in rows.order_by("-type"):
            if use_totp(row, code, now) if row.type == Type.TOTP else row.wrap().validate_code(code):
                return row
    return None


def use_totp(row: Authenticator, code: str, now: datetime) -> bool:
    secret = cipher().decrypt(row.data["secret"].encode()).decode()
    counter = counter_of(secret, code, now)
    if counter is None or counter <= row.data.get("last_counter", 0):
        return False
    row.data["last_counter"] = counter
    row.save(update_fields=["data"])
    return True


def passkeys_of(person: User) -> list[dict[str, Any]]:
    """The passkeys of `person` as pages show them."""
    rows = Authenticator.objects.filter(user=person, type=Type.WEBAUTHN).order_by("pk")
    return [{"id": row.pk, "name": row.data["name"], "made": row.created_at, "used": row.last_used_at} for row in rows]
