"""The log's signing key, and the public keys whose signatures count.

Which keys are trusted comes from the configuration and never from the database: who can write the database must not be
able to choose the key that vouches for it.
"""

import base64
import binascii
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.seal.note import Signer, Verifier, is_name

KEY_FILE = "audit_key.pem"
NOT_A_KEY = (
    "SECONDLOOK_AUDIT_KEY must be an Ed25519 private key: PEM, 32 bytes in base64, or the path of a file with either."
)


def configured() -> dict[str, Any]:
    found: dict[str, Any] = settings.SECONDLOOK
    return found


def private_key() -> Ed25519PrivateKey:
    """The configured key; embedded, the one in the data folder, made at first use. Raises ImproperlyConfigured."""
    if value := configured()["AUDIT_KEY"]:
        return read_key(value)
    if not configured()["EMBEDDED"]:
        raise ImproperlyConfigured("Set the environment variable SECONDLOOK_AUDIT_KEY.")
    path = Path(settings.DATA_DIR) / KEY_FILE
    if not path.exists():
        make_key(path)
    return read_key(path.read_text(encoding="ascii"))


def read_key(value: str) -> Ed25519PrivateKey:
    """PEM, base64 of the 32 bytes, or the path of a file with one of them; errors never repeat the value."""
    text = value.strip()
    if "-----BEGIN" not in text and (path := as_file(text)):
        text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), password=None)
        else:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, binascii.Error):
        raise ImproperlyConfigured(NOT_A_KEY) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured(NOT_A_KEY)
    return key


def as_file(text: str) -> Path | None:
    try:
        return Path(text) if Path(text).is_file() else None
    except (OSError, ValueError):
        return None


def make_key(path: Path) -> None:
    """Write a new key for its owner only. Two starts at once agree: only one of them can link it to its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            link(temporary, path)
    finally:
        temporary.unlink()


def link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return


def signer(origin: str | None = None) -> Signer:
    """The key under the log's name: `origin` once the log has begun, before that the configured or a derived one."""
    key = private_key()
    name = origin or configured()["AUDIT_NAME"] or f"secondlook-{sha256(public_bytes(key)).hexdigest()[:16]}"
    if not is_name(name):
        raise ImproperlyConfigured("SECONDLOOK_AUDIT_NAME must have no spaces and no plus sign.")
    return Signer(name, key)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def trusted(origin: str) -> list[Verifier]:
    """The keys whose signature under a checkpoint of `origin` counts: today's, and the configured old ones."""
    return [signer(origin).verifier, *old_keys()]


def old_keys() -> list[Verifier]:
    """Raises ImproperlyConfigured for a text that is no vkey."""
    try:
        return [Verifier.parse(text) for text in configured()["AUDIT_OLD_KEYS"]]
    except (ValueError, binascii.Error):
        raise ImproperlyConfigured("SECONDLOOK_AUDIT_OLD_KEYS must be vkeys with commas between.") from None
