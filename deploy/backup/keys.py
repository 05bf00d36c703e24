"""Keys and generated passwords of the installation: what goes into a backup, and what has to be kept elsewhere."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.seal import keys
from deploy.backup.copying import write_private

PUBLIC, ANCHOR, SECRETS = "keys/audit_key.vkey", "keys/audit-anchor.txt", "secrets"
# What the embedded server makes for itself in its data folder.
MADE_HERE = ("secret_key", keys.KEY_FILE, "first-person.json", "demo.json")
KEEP = {
    "SECONDLOOK_SECRET_KEY": "without it everybody has to sign in again",
    "SECONDLOOK_AUDIT_KEY": "without it the audit trail goes on under another key, and the old one's public half in "
    "keys/audit_key.vkey has to be named in SECONDLOOK_AUDIT_OLD_KEYS",
}


def data_folder() -> Path:
    return Path(settings.DATA_DIR)


def embedded() -> bool:
    return bool(settings.SECONDLOOK["EMBEDDED"])


def public_key() -> str:
    """The key that verifies the audit trail, as a vkey; empty when there is none."""
    try:
        return keys.signer().verifier.vkey
    except ImproperlyConfigured:
        return ""


def save_public(folder: Path) -> None:
    """What verifying needs. The anchor that lies beside the data comes before the database, so it is never ahead."""
    write_private(folder / PUBLIC, public_key().encode() + b"\n")
    anchor = data_folder() / "audit-anchor.txt"
    if embedded() and anchor.is_file():
        write_private(folder / ANCHOR, anchor.read_bytes())


def save_secrets(folder: Path) -> list[str]:
    """Copy the secrets; their names. In production they are a file of variables, to be read by a person."""
    if embedded():
        there = [name for name in MADE_HERE if (data_folder() / name).is_file()]
        for name in there:
            write_private(folder / SECRETS / name, (data_folder() / name).read_bytes())
        return there
    values = {"SECONDLOOK_SECRET_KEY": settings.SECRET_KEY, "SECONDLOOK_AUDIT_KEY": settings.SECONDLOOK["AUDIT_KEY"]}
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    write_private(folder / SECRETS / "secrets.env", lines.encode())
    return list(values)


def restore(folder: Path) -> None:
    """Embedded: put secrets and anchor back; a different one that is there already is kept beside it."""
    if not embedded():
        return
    put_back = [(folder / SECRETS / name, data_folder() / name) for name in MADE_HERE]
    for source, path in [*put_back, (folder / ANCHOR, data_folder() / "audit-anchor.txt")]:
        if not source.is_file():
            continue
        if path.is_file() and path.read_bytes() != source.read_bytes():
            path.replace(path.with_name(f"{path.name}.before-restore"))
        write_private(path, source.read_bytes())


def key_advice(folder: Path) -> str:
    """What to do when the audit trail of a backup was signed by another key than the configured one; else empty."""
    path = folder / PUBLIC
    before = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    if not before or before == public_key() or before in settings.SECONDLOOK["AUDIT_OLD_KEYS"]:
        return ""
    return f"The audit trail was signed by another key. Set SECONDLOOK_AUDIT_OLD_KEYS={before} and verify again."
