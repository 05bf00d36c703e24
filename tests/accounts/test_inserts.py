"""New rows of several tables, written together."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.inserts import Inserts
from accounts.models.seal import Leaf, LeafNode

pytestmark = pytest.mark.django_db


def leaf(index: int) -> Leaf:
    return Leaf(index=index, kind="audit", layout=1, row=str(index), hash=bytes([index % 256]) * 32, ticket=index)


def node(index: int) -> LeafNode:
    return LeafNode(level=8, index=index, hash=b"\x00" * 32)


def test_rows_of_several_tables_come_back_as_they_were() -> None:
    Inserts([leaf(7), leaf(8), node(3)]).write()
    assert [(row.index, row.row, bytes(row.hash)) for row in Leaf.objects.order_by("index")] == [
        (7, "7", b"\x07" * 32),
        (8, "8", b"\x08" * 32),
    ]
    assert LeafNode.objects.get().index == 3


def test_the_sql_is_made_before_and_sent_with_few_questions() -> None:
    inserts = Inserts([leaf(1), node(1), node(2)])
    with CaptureQueriesContext(connection) as sent:
        inserts.write()
    assert len(sent) == (1 if connection.vendor == "postgresql" else 2)


def test_more_rows_than_one_statement_takes_values() -> None:
    Inserts([leaf(index) for index in range(3000)]).write()
    assert Leaf.objects.count() == 3000


def test_written_rows_know_that_they_are_there() -> None:
    row = leaf(1)
    Inserts([row]).write()
    assert not row._state.adding
    row.refresh_from_db()


def test_of_rows_that_clash_nothing_is_there() -> None:
    Inserts([leaf(1)]).write()
    with pytest.raises(IntegrityError), transaction.atomic():
        Inserts([node(1), leaf(2), leaf(1)]).write()
    assert (Leaf.objects.count(), LeafNode.objects.count()) == (1, 0)


def test_no_rows_are_no_question() -> None:
    with CaptureQueriesContext(connection) as sent:
        Inserts([]).write()
    assert len(sent) == 0
