"""Checkpoints as C2SP signed notes (`signed-note`, `tlog-checkpoint`): text, an empty line, signature lines.

    origin \\n size in decimal \\n base64 of the root \\n
    \\n
    — <key name> base64(key hash, 4 bytes || Ed25519 signature, 64 bytes) \\n

The signature covers the text with its last line break. https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
MARK = "— "


def exactly(coded: str) -> bytes:
    """Base64 in the one form that its bytes have: the unused bits of the last letter are zero (RFC 4648, 3.5).

    Raises ValueError.
    """
    data = base64.b64decode(coded, validate=True)
    if base64.b64encode(data).decode() != coded:
        raise ValueError("not the canonical form")
    return data


class BadNote(ValueError):
    """A text that is no checkpoint, or no known key has signed it."""


@dataclass(frozen=True)
class Verifier:
    """A public key with its name; `vkey` is the text form that transparency-log tools take."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """The first four bytes of SHA-256(name || LF || 0x01 || public key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Raises ValueError for what is no Ed25519 vkey, or not whole."""
        name, _plus, rest = vkey.strip().partition("+")
        said, _plus, coded = rest.partition("+")
        key = exactly(coded)
        found = cls(name, key[1:])
        if not is_name(name) or key[:1] != ED25519 or len(key) != 33 or found.key_hash.hex() != said:
            raise ValueError("This is not a vkey of an Ed25519 key: name+hash+base64.")
        return found

    def accepts(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key with the name it signs under; its representation does not show it."""

    name: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.verifier.vkey})"

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note: `text`, which ends with a line break, and its signature."""
        coded = base64.b64encode(self.verifier.key_hash + self.private.sign(text.encode())).decode()
        return f"{text}\n{MARK}{self.name} {coded}\n"


@dataclass(frozen=True)
class Signed:
    """What a note says, and the key that was found to have signed it."""

    origin: str
    size: int
    root: bytes
    key: Verifier


def is_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no white space, no plus sign."""
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def open_note(note: str, known: Iterable[Verifier]) -> Signed:
    """Read a checkpoint that one of the `known` keys has signed. Raises BadNote."""
    text, empty, signatures = note.rpartition("\n\n")
    if not empty:
        raise BadNote("it has no signature")
    text += "\n"
    origin, size, root = read_text(text)
    keys = {(key.name, key.key_hash): key for key in known}
    for name, key_hash, signature in signature_lines(signatures):
        key = keys.get((name, key_hash))
        if key is None:
            continue
        if not key.accepts(text, signature):
            raise BadNote("its signature is wrong")
        return Signed(origin, size, root, key)
    raise BadNote("no known key has signed it")


def read_text(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint's text. Raises BadNote."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not (lines[1].isascii() and lines[1].isdecimal() and len(lines[1]) < 20):
        raise BadNote("it is not a checkpoint")
    try:
        root = exactly(lines[2])
    except (binascii.Error, ValueError):
        raise BadNote("its root cannot be read") from None
    if len(root) != 32:
        raise BadNote("its root is not a SHA-256")
    return lines[0], int(lines[1]), root


def signature_lines(block: str) -> Iterator[tuple[str, bytes, bytes]]:
    """(name, key hash, signature) of each line. Raises BadNote."""
    for line in block.splitlines():
        name, _space, coded = line.removeprefix(MARK).partition(" ")
        try:
            data = exactly(coded)
        except (binascii.Error, ValueError):
            raise BadNote("a signature cannot be read") from None
        if not line.startswith(MARK) or not is_name(name) or len(data) < 5:
            raise BadNote("a signature line cannot be read")
        yield name, data[:4], data[4:]


def split_notes(lines: Iterable[str]) -> Iterator[str]:
    """The notes of a file that holds one after the other, with or without empty lines between them."""
    held: list[str] = []
    signed = False
    for raw in lines:
        line = raw.rstrip("\r\n")
        if signed and not line.startswith(MARK):
            yield "\n".join(held) + "\n"
            held, signed = [], False
        if held or line:
            held.append(line)
        signed = line.startswith(MARK)
    if held:
        yield "\n".join(held) + "\n"
