"""Checkpoints as C2SP signed notes."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from accounts.seal.note import BadNote, Signer, Verifier, checkpoint_text, open_note, split_notes

SIGNER = Signer("log.example/yard", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOTE = SIGNER.sign(checkpoint_text(SIGNER.name, 5, bytes(32)))
# From the documentation of Go's golang.org/x/mod/sumdb/note, which the C2SP specification describes.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_it_is_written_as_the_specification_says() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == ["log.example/yard", "5", base64.b64encode(bytes(32)).decode(), ""]
    assert lines[4].startswith("— log.example/yard ")
    assert len(base64.b64decode(lines[4].split(" ")[2])) == 4 + 64
    assert lines[5:] == [""]


def test_a_key_and_a_signature_of_gos_implementation_are_accepted() -> None:
    key = Verifier.parse(GO_VKEY)
    assert key.vkey == GO_VKEY
    data = base64.b64decode(GO_SIGNATURE)
    assert data[:4] == key.key_hash
    assert key.accepts(GO_NOTE_TEXT, data[4:])


def test_it_opens_with_its_key_only() -> None:
    said = open_note(NOTE, [SIGNER.verifier])
    assert (said.origin, said.size, said.root) == (SIGNER.name, 5, bytes(32))
    stranger = Signer(SIGNER.name, Ed25519PrivateKey.generate())
    with pytest.raises(BadNote, match="no known key"):
        open_note(NOTE, [stranger.verifier])


@given(st.integers(0, len(NOTE) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_changed_letter_spoils_it(place: int, letter: str) -> None:
    changed = NOTE[:place] + letter + NOTE[place + 1 :]
    if changed == NOTE:
        return
    with pytest.raises(BadNote):
        open_note(changed, [SIGNER.verifier])


@given(st.text())
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(BadNote):
        open_note(text, [SIGNER.verifier])


@pytest.mark.parametrize("vkey", ["", "a+b", "a b+00000000+AAAA", GO_VKEY[:-2] + "AA", GO_VKEY.replace("c7", "c8")])
def test_a_broken_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(ValueError):
        Verifier.parse(vkey)


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_notes_in_one_file_come_apart(between: str) -> None:
    assert [one.strip() for one in split_notes((NOTE + between + NOTE).splitlines(keepends=True))] == [NOTE.strip()] * 2


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    assert base64.b64encode(SIGNER.private.private_bytes_raw()).decode() not in repr(SIGNER)
    assert SIGNER.private.private_bytes_raw().hex() not in repr(SIGNER)
