"""A certificate that somebody brings along."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deploy.tls.authority import CannotCertify, Names, load


def names_of(certificate: Path, key: Path, now: datetime) -> Names:
    """The names of a certificate that can be used with `key` now. Raises CannotCertify with a sentence otherwise."""
    try:
        found = load(certificate)
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise CannotCertify(
            f"Certificate or key cannot be read (PEM without a passphrase is needed): {error}"
        ) from None
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(encoding, form) != found.public_key().public_bytes(encoding, form):
        raise CannotCertify(f"{key} is not the key of {certificate}.")
    if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
        raise CannotCertify(f"{certificate} is valid from {found.not_valid_before_utc} to {found.not_valid_after_utc}.")
    try:
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise CannotCertify(f"{certificate} names no host (subjectAltName), so no browser takes it.") from None
    hosts = [name for name in alternative.get_values_for_type(x509.DNSName) if "*" not in name]
    return Names.of([*hosts, *map(str, alternative.get_values_for_type(x509.IPAddress))])
