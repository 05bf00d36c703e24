"""A proof convinces somebody who has the public key, the page of the documentation, and nothing of ours."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.models import AuditEntry, Leaf, LeafNode, User
from accounts.seal import keys, proof_of
from accounts.seal.proof import Proof
from accounts.seal.store import StoredTree, last_checkpoint
from review.models import Event, Retraction, Verdict
from tests.accounts.seal.conftest import seal_now, sql
from tests.accounts.seal.test_sealer import write
from tests.factories import Place, post


def documented_program() -> str:
    page = (Path(settings.BASE_DIR) / "docs" / "seal.md").read_text(encoding="utf-8")
    found = re.search(r"```python check_proof\.py\n(.*?)```", page, re.S)
    assert found is not None
    return found[1]


def check(folder: Path, proof: dict[str, Any], vkey: str) -> "subprocess.CompletedProcess[str]":
    """Run the program of the page in an empty folder; with -I nothing of ours is on its path."""
    (folder / "check_proof.py").write_text(documented_program(), encoding="utf-8")
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
    command = [sys.executable, "-I", "check_proof.py", "proof.json", vkey]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def vkey(proof: Proof) -> str:
    return keys.signer(proof.note.split("\n")[0]).verifier.vkey


@pytest.fixture
def proof(log: Place) -> Proof:
    entry = AuditEntry.objects.order_by("id")[4]
    found = proof_of(entry)
    assert found is not None
    return found


def test_the_documented_program_accepts_a_proof(proof: Proof, tmp_path: Path) -> None:
    done = check(tmp_path, proof.as_json(), vkey(proof))
    assert done.returncode == 0, done.stderr
    assert proof.leaf.decode() in done.stdout


def spoil(name: str, proof: dict[str, Any]) -> dict[str, Any]:
    other = "A" * 43 + "="
    return (
        proof
        | {
            "leaf": {"leaf": proof["leaf"].replace("yard", "dock", 1)},
            "index": {"index": proof["index"] + 1},
            "size": {"size": proof["size"] + 1},
            "outside": {"index": proof["size"]},
            "longer": {"path": [*proof["path"], other]},
            "shorter": {"path": proof["path"][:-1]},
            "path": {"path": [other, *proof["path"][1:]]},
            "note": {"checkpoint": proof["checkpoint"].replace("\n\n", "\nmore\n\n")},
            "signature": {"checkpoint": proof["checkpoint"][:-9] + "AAAAAA==\n"},
        }[name]
    )


@pytest.mark.parametrize("name", ["leaf", "index", "size", "outside", "longer", "shorter", "path", "note", "signature"])
def test_the_documented_program_refuses_what_was_tampered_with(proof: Proof, tmp_path: Path, name: str) -> None:
    spoilt = spoil(name, proof.as_json())
    assert spoilt != proof.as_json()
    assert check(tmp_path, spoilt, vkey(proof)).returncode != 0


def test_the_documented_program_refuses_another_key(proof: Proof, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    stranger = keys.Signer(proof.note.split("\n")[0], Ed25519PrivateKey.generate()).verifier.vkey
    assert check(tmp_path, proof.as_json(), stranger).returncode != 0


def test_every_kind_and_every_place_can_be_proved(log: Place, operator: User) -> None:
    write(operator, 700)
    seal_now()
    tree, end = StoredTree(), last_checkpoint()
    rows = [row for model in (Event, Verdict, Retraction) for row in model._base_manager.all()]
    rows += list(AuditEntry.objects.order_by("id")[::13])
    assert all(proof_of(row, checkpoint=end, tree=tree) for row in rows)
    # 256 hashes per tile: the leaves' tiles, and one of the nodes above.
    assert len(tree.tiles) <= Leaf.objects.count() // 256 + 2


def test_a_proof_takes_few_queries(log: Place, operator: User, django_assert_max_num_queries: Any) -> None:
    write(operator, 700)
    seal_now()
    entry = AuditEntry.objects.order_by("id")[3]
    with django_assert_max_num_queries(8):
        assert proof_of(entry)


def test_there_is_no_proof_of_what_is_not_sealed_or_was_changed(log: Place, operator: User) -> None:
    assert proof_of(post(log).event) is None
    assert proof_of(operator) is None
    entry = AuditEntry.objects.order_by("id")[4]
    sql("UPDATE accounts_auditentry SET verb = 'x' WHERE id = %s", entry.pk)
    assert proof_of(entry) is None


def test_there_is_no_proof_from_a_stored_tree_that_was_changed(log: Place, operator: User) -> None:
    write(operator, 300)
    seal_now()
    entry = AuditEntry.objects.order_by("-id")[0]
    assert proof_of(entry) is not None
    LeafNode.objects.update(hash=b"q" * 32)
    assert proof_of(entry) is None
    LeafNode.objects.all().delete()
    assert proof_of(entry) is None


def test_the_command_writes_what_the_page_says(log: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = Event.objects.all()[0]
    call_command("prove_entry", str(event.pk), "--json")
    written = json.loads(capsys.readouterr().out)
    name = keys.signer(written["checkpoint"].split("\n")[0]).verifier.vkey
    assert check(tmp_path, written, name).returncode == 0
    call_command("prove_entry", str(event.pk))
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("entry", ["999999", "nonsense", "01a20a77-a220-7572-9f7e-083b7c38dfaf", "-3"])
def test_the_command_has_no_proof_of_what_is_not_there(log: Place, entry: str) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("prove_entry", "--", entry) if entry.startswith("-") else call_command("prove_entry", entry)
    assert end.value.code == 1
