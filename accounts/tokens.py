"""Bearer tokens: made from 256 random bits, shown once, kept as their SHA-256."""

import hashlib
import secrets


def new_token(prefix: str) -> str:
    """A fresh token such as `sls_...`; the prefix lets secret scanners recognise a leaked one."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    """Hex SHA-256. A slow hash would add nothing to 256 random bits, and this runs on every call of a source.

    Looking the hash up by equality leaks no timing that helps: an attacker cannot steer the hash of a guess.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
