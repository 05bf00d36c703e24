"""The authority of an installation: made once, for its names only, renewed in time, its key nobody else's."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.test import Client

from deploy.tls import lan, machine
from deploy.tls.authority import Authority, CannotCertify, Names, fingerprint, load, write
from deploy.tls.own import names_of

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = Names.of(["desk.plant.example", "desk.local", "192.168.7.5", "::1"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "tls")
    made.prepare(NAMES, NOW)
    return made


def verifies(authority: Authority, *names: str) -> bool:
    """Whether OpenSSL takes the server's certificate for `names`."""
    checks = [part for name in names for part in ("-verify_hostname", name)]
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(authority.own.certificate), *checks]
    return (
        subprocess.run([*command, str(authority.server.certificate)], capture_output=True, check=False).returncode == 0
    )


def test_it_is_made_once_and_its_keys_are_the_owners_only(authority: Authority) -> None:
    before = authority.own.certificate.read_bytes()
    assert authority.prepare(NAMES, NOW) is False
    assert authority.own.certificate.read_bytes() == before
    assert authority.folder.stat().st_mode & 0o077 == 0
    for files in (authority.own, authority.server):
        assert files.key.stat().st_mode & 0o077 == 0


def test_clients_take_its_certificate_for_its_names_and_no_other(authority: Authority) -> None:
    assert verifies(authority, "desk.plant.example")
    assert not verifies(authority, "other.example")


def test_it_cannot_vouch_for_other_sites(authority: Authority) -> None:
    with pytest.raises(CannotCertify, match=r"bank\.example"):
        authority.prepare(Names.of(["bank.example"]), NOW)
    with pytest.raises(CannotCertify, match=r"198\.51\.100\.1"):
        authority.prepare(Names.of(["desk.local", "198.51.100.1"]), NOW)
    # Nor does anybody believe it when its key is stolen.
    authority.sign(Names.of(["bank.example"]), NOW)
    assert not verifies(authority, "bank.example")


def test_it_signs_servers_only_and_ends(authority: Authority) -> None:
    own, server = load(authority.own.certificate), load(authority.server.certificate)
    constraints = own.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert own.not_valid_after_utc - NOW < timedelta(days=5 * 366)
    assert server.not_valid_after_utc - NOW <= timedelta(days=90)


def test_a_certificate_is_renewed_a_month_before_it_ends_and_when_names_change(authority: Authority) -> None:
    assert authority.prepare(NAMES, NOW + timedelta(days=59)) is False
    assert authority.prepare(NAMES, NOW + timedelta(days=60, seconds=1)) is True
    assert authority.prepare(Names.of(["desk.local"]), NOW + timedelta(days=61)) is True
    assert load(authority.server.certificate).not_valid_after_utc > NOW + timedelta(days=150)


def test_a_certificate_never_outlives_its_authority(authority: Authority) -> None:
    end = load(authority.own.certificate).not_valid_after_utc
    authority.prepare(NAMES, end - timedelta(days=5))
    assert load(authority.server.certificate).not_valid_after_utc == end


def test_a_renewed_certificate_is_given_without_a_restart(authority: Authority) -> None:
    import daphne.server  # noqa: F401  # chooses the reactor first

    from deploy.tls.listen import Certificates

    given = Certificates(authority.server)
    first = given.getContext()
    assert given.getContext() is first
    authority.prepare(NAMES, NOW + timedelta(days=61))
    assert given.getContext() is not first


def test_the_fingerprint_is_the_one_that_browsers_show(authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.own.certificate.read_text())
    import hashlib

    assert fingerprint(authority.own.certificate).replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def test_a_file_of_before_does_not_lend_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "key.tmp").write_text("old")
    (tmp_path / "key.tmp").chmod(0o666)
    write(tmp_path / "key", b"secret", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


# A certificate that somebody brings along


def test_an_own_certificate_says_the_names(authority: Authority) -> None:
    found = names_of(authority.server.certificate, authority.server.key, NOW)
    assert found.allowed_hosts == ["desk.plant.example", "desk.local", "192.168.7.5", "[::1]"]


def test_an_own_certificate_that_does_not_fit_is_refused(authority: Authority, tmp_path: Path) -> None:
    server = authority.server
    with pytest.raises(CannotCertify, match="not the key"):
        names_of(server.certificate, authority.own.key, NOW)
    with pytest.raises(CannotCertify, match="valid from"):
        names_of(server.certificate, server.key, NOW + timedelta(days=91))
    with pytest.raises(CannotCertify, match="names no host"):
        names_of(authority.own.certificate, authority.own.key, NOW)
    with pytest.raises(CannotCertify, match="cannot be read"):
        names_of(tmp_path / "none", server.key, NOW)
    with pytest.raises(CannotCertify, match="both"):
        lan.own_files(server.certificate, None)


# Names, hosts, download


def test_only_the_certificates_names_are_served(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    lan.allow(NAMES)
    assert NAMES.allowed_hosts == settings.ALLOWED_HOSTS
    assert Client(headers={"Host": "desk.local:8443"}).get("/healthz").status_code == 200
    assert Client(headers={"Host": "localhost:8443"}).get("/accounts/login/").status_code == 400


def test_addresses_of_the_internet_are_not_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def __init__(self, address: str, family: int) -> None:
            self.address, self.family = address, family

    inet, inet6 = 2, 10
    cards = {
        "eth0": [Entry("192.168.7.5", inet), Entry("203.0.113.9", inet), Entry("fe80::1%eth0", inet6)],
        "eth1": [Entry("10.1.1.1", inet), Entry("fd00::5", inet6), Entry("2001:db8::1", inet6), Entry("aa:bb", 17)],
    }
    monkeypatch.setattr("psutil.net_if_addrs", lambda: cards)
    assert machine.private_addresses() == ["127.0.0.1", "192.168.7.5", "10.1.1.1", "fd00::5"]


@pytest.mark.parametrize("name,found", [("Desk", ["desk.local", "desk"]), ("a.b.c", ["a.b.c"]), ("x\ny", []), ("", [])])
def test_the_machines_names_are_host_names(monkeypatch: pytest.MonkeyPatch, name: str, found: list[str]) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: name)
    assert machine.host_names() == found


def test_anybody_may_fetch_the_authoritys_certificate_and_never_its_key(
    settings: Any, tmp_path: Path, db: None
) -> None:
    settings.DATA_DIR = tmp_path
    assert Client().get("/trust/authority.crt").status_code == 404
    made = Authority(tmp_path / "tls")
    made.prepare(NAMES, NOW)
    answer = Client().get("/trust/authority.crt")
    assert answer["Content-Type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(answer.content) == load(made.own.certificate)
    assert b"PRIVATE" not in answer.content
    assert Client().get("/trust/authority.key").status_code == 404
