"""The keys with which unsent answers lie encrypted in a browser that others use too.

Each person has one, derived from the server's secret. The server gives it to nobody else, so what waits in the storage
of a shared browser can be read and sent only after the same person signed in again.
"""

import base64
import hashlib
import hmac

from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts.models import User

SALT = "secondlook.outbox"


def keys_of(person: User) -> list[str]:
    """AES-256 keys in base64: the one to write with first, then those of earlier secrets to read with."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [base64.b64encode(key_of(person, secret)).decode() for secret in secrets]


def key_of(person: User, secret: str | bytes) -> bytes:
    """HMAC-SHA256 over the person's opaque id, with a key of its own for this use."""
    key = salted_hmac(SALT, "key", secret=secret, algorithm="sha256").digest()
    return hmac.new(key, person.public_id.bytes, hashlib.sha256).digest()
