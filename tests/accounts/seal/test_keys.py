"""The signing key: made once, for its owner only, and never shown."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured

from accounts.seal import keys
from accounts.seal.checks import check_keys
from tests.conftest import AtOnce

SEED = bytes(range(32))
PEM = (
    Ed25519PrivateKey.from_private_bytes(SEED)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)


@pytest.fixture
def no_key(settings: Any, tmp_path: Path) -> Path:
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_KEY": ""}
    settings.DATA_DIR = tmp_path
    return tmp_path / "audit_key.pem"


def test_it_is_made_once_and_for_its_owner_only(no_key: Path) -> None:
    first = keys.signer().verifier
    assert keys.signer().verifier == first
    assert stat.S_IMODE(no_key.stat().st_mode) == 0o600
    assert list(no_key.parent.iterdir()) == [no_key]


@pytest.mark.django_db(transaction=True)
def test_eight_starts_at_once_agree_on_one(at_once: AtOnce, no_key: Path) -> None:
    assert len({keys.signer().verifier.vkey for _name in at_once(8, lambda _number: keys.signer())}) == 1
    assert len(set(at_once(8, lambda _number: keys.signer().verifier.vkey))) == 1


def test_production_makes_none(no_key: Path, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"EMBEDDED": False}
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_AUDIT_KEY"):
        keys.signer()
    assert not no_key.exists()


def test_it_comes_as_pem_as_base64_or_as_a_file(tmp_path: Path) -> None:
    seed = base64.b64encode(SEED).decode()
    (tmp_path / "pem").write_text(PEM)
    (tmp_path / "seed").write_text(seed + "\n")
    for value in (PEM, seed, str(tmp_path / "pem"), str(tmp_path / "seed")):
        assert keys.read_key(value).private_bytes_raw() == SEED


@pytest.mark.parametrize(
    "value", ["x", "A" * 44, "/nowhere/at/all", "-----BEGIN PRIVATE KEY-----\nAAAA", "\0", "é" * 9]
)
def test_what_is_no_key_is_refused_without_repeating_it(value: str, settings: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        keys.read_key(value)
    assert value not in str(refused.value).replace("PEM", "")
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_KEY": value}
    assert [one.id for one in check_keys()] == ["accounts.E004"]


def test_a_key_of_another_kind_is_refused() -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ImproperlyConfigured, match="Ed25519"):
        keys.read_key(pem.decode())


def test_old_keys_are_vkeys(settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_OLD_KEYS": ["nonsense"]}
    assert [one.id for one in check_keys()] == ["accounts.E004"]


def test_a_name_must_be_one_of_a_note(settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_NAME": "two words"}
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_AUDIT_NAME"):
        keys.signer()
