"""A queue keeps the taxonomy that it was made with: labels, releases and guides go by its indexes.

A trigger refuses every change, not only that of a queue with items: to look for items would leave a gap in which the
first one comes.
"""

from review.models import Queue
from review.triggers import Trigger, function

NAME = "queue_keeps_its_taxonomy"
SAID = "a queue keeps its taxonomy"
HEAD = f'CREATE TRIGGER "{NAME}" BEFORE UPDATE OF taxonomy_id ON "{Queue._meta.db_table}" FOR EACH ROW'
CHANGED = "NEW.taxonomy_id <> OLD.taxonomy_id"
BODY = f"BEGIN RAISE EXCEPTION '{SAID}' USING ERRCODE = 'restrict_violation'; END"

TRIGGER = Trigger(
    NAME,
    Queue._meta.db_table,
    {
        "postgresql": [function(NAME, BODY), f"{HEAD} WHEN ({CHANGED}) EXECUTE FUNCTION secondlook_{NAME}()"],
        "sqlite": [f"{HEAD} WHEN {CHANGED} BEGIN SELECT RAISE(ABORT, '{SAID}'); END"],
    },
)
