"""A certificate authority of this installation, and the certificates that it gives this machine.

It is made once, is good for this machine's names and private addresses only (RFC 5280 name constraints), signs servers
only, and ends after five years. Whoever trusts it on a phone trusts nobody else by it, not even us, for other sites.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.listening import Files

AUTHORITY_LIFE = timedelta(days=5 * 365)
# Browsers take no longer ones than 398 days from anybody.
LIFE = timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
# A clock that is a little behind must not find a certificate of the future.
BEFORE = timedelta(hours=1)
PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)
COMMON_DOMAINS = ("localhost", "local", "lan", "internal", "home.arpa")


class CannotCertify(Exception):
    """The authority may not sign for these names; the text says which and what to do."""


@dataclass(frozen=True)
class Names:
    """What a server is called: host names, and addresses."""

    hosts: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        hosts, addresses = [], []
        for name in dict.fromkeys(names):
            try:
                addresses.append(ip_address(name))
            except ValueError:
                hosts.append(name.lower())
        return cls(tuple(hosts), tuple(addresses))

    @property
    def allowed_hosts(self) -> list[str]:
        """As Django's ALLOWED_HOSTS wants them."""
        plain = [f"[{address}]" if address.version == 6 else str(address) for address in self.addresses]
        return [*self.hosts, *plain]

    def alternative_names(self) -> x509.SubjectAlternativeName:
        return x509.SubjectAlternativeName(
            [*(x509.DNSName(host) for host in self.hosts), *(x509.IPAddress(address) for address in self.addresses)]
        )


class Authority:
    """The authority in `folder`; nothing is made before `prepare`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = Files(folder / "authority.crt", folder / "authority.key")
        self.server = Files(folder / "server.crt", folder / "server.key")

    def prepare(self, names: Names, now: datetime) -> bool:
        """Make what is missing or ends soon; whether the server's certificate is a new one.

        Raises CannotCertify when the authority was made for other names.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.own.certificate.exists():
            self.make(names, now)
        self.require_permitted(names)
        if self.is_good(names, now):
            return False
        self.sign(names, now)
        return True

    def is_good(self, names: Names, now: datetime) -> bool:
        if not (self.server.certificate.exists() and self.server.key.exists()):
            return False
        there = load(self.server.certificate)
        alternative = there.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            alternative == names.alternative_names()
            and there.issuer == load(self.own.certificate).subject
            and now < there.not_valid_after_utc - RENEW_BEFORE
        )

    def make(self, names: Names, now: datetime) -> None:
        """The authority itself: its certificate is public, its key is the owner's only."""
        key = ec.generate_private_key(ec.SECP256R1())
        called = f"Second Look on {names.hosts[0] if names.hosts else names.addresses[0]}, {now:%Y-%m-%d}"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called[:64])])
        domains = dict.fromkeys([*names.hosts, *COMMON_DOMAINS])
        public = [ip_network(address) for address in names.addresses if not is_private(address)]
        permitted: list[x509.GeneralName] = [x509.DNSName(domain) for domain in domains]
        permitted += [x509.IPAddress(network) for network in [*map(ip_network, PRIVATE), *public]]
        made = (
            base(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(signs_certificates=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write(self.own.key, private_pem(key), mode=0o600)
        write(self.own.certificate, made.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def sign(self, names: Names, now: datetime) -> None:
        """A new key and certificate for the server; the key is written first, so that a pair always exists."""
        authority, signer = load(self.own.certificate), load_key(self.own.key)
        key = ec.generate_private_key(ec.SECP256R1())
        life = min(LIFE, authority.not_valid_after_utc - now)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (names.allowed_hosts[0])[:64])])
        made = (
            base(subject, authority.subject, key.public_key(), now, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(names.alternative_names(), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        write(self.server.key, private_pem(key), mode=0o600)
        write(self.server.certificate, made.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def require_permitted(self, names: Names) -> None:
        constraints = load(self.own.certificate).extensions.get_extension_for_class(x509.NameConstraints).value
        permitted = constraints.permitted_subtrees or []
        domains = [name.value for name in permitted if isinstance(name, x509.DNSName)]
        networks = [name.value for name in permitted if isinstance(name, x509.IPAddress)]
        wrong = [host for host in names.hosts if not any(host == one or host.endswith(f".{one}") for one in domains)]
        wrong += [
            str(address)
            for address in names.addresses
            if not any(address in one for one in networks if not isinstance(one, IPv4Address | IPv6Address))
        ]
        if wrong:
            raise CannotCertify(
                f"The authority in {self.folder} was made for other names than {', '.join(wrong)}. Move that folder "
                "away to have a new one made, which everybody has to trust anew, or leave the name out."
            )


def base(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + life)
    )


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def is_private(address: IPv4Address | IPv6Address) -> bool:
    return any(address in ip_network(network) for network in PRIVATE)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write(path: Path, data: bytes, *, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment."""
    temporary = path.with_suffix(path.suffix + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def fingerprint(path: Path) -> str:
    """SHA-256 of a certificate as browsers show it: pairs of digits with colons between."""
    return load(path).fingerprint(hashes.SHA256()).hex(":").upper()
