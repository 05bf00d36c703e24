"""F17: a backup under load, the data destroyed, the backup restored, the devices send again: no loss, no duplicates."""

import json
import shutil
from pathlib import Path

import pytest

from tests.faults import invariants
from tests.faults.ledger import Ledger
from tests.faults.product import Product, review
from tests.faults.services import Postgres

pytestmark = pytest.mark.slow


def back_up_under_load(product: Product, ledger: Ledger, target: Path) -> None:
    """A backup while events come in and verdicts are given, and more of both after it."""
    ledger.until(6)
    review(product, 3)
    told = json.loads(product.manage("backup", str(target), "--json").stdout)
    assert told["problems"] == {}
    assert told["counts"]["events"] >= 6
    assert told["counts"]["verdicts"] == 3
    ledger.until(6)
    review(product, 1)
    ledger.stop()
    assert told["counts"]["events"] < len(ledger.acknowledged)


def bring_back(product: Product, target: Path) -> None:
    verdict = json.loads(product.manage("restore", str(target), "--json").stdout)
    assert verdict["ok"], verdict
    product.start()


def test_what_was_acknowledged_is_there_again_once_on_one_machine(
    embedded: Product, ledger: Ledger, folder: Path
) -> None:
    back_up_under_load(embedded, ledger, folder / "backups")
    embedded.kill()
    shutil.rmtree(embedded.folder)
    bring_back(embedded, folder / "backups")
    ledger.resend()
    invariants.check(embedded, ledger)


def test_what_was_acknowledged_is_there_again_once_on_postgresql(
    production: Product, database: Postgres, ledger: Ledger, folder: Path
) -> None:
    back_up_under_load(production, ledger, folder / "backups")
    production.kill()
    shutil.rmtree(production.folder)
    database.renew()
    bring_back(production, folder / "backups")
    ledger.resend()
    invariants.check(production, ledger)
