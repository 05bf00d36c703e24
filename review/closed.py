"""No open item comes into what is retired: neither into a retired queue nor at a retired site.

Who retires a queue looks for open items and for rules that send there, and whoever puts an item there may be at it in
the same moment. So a trigger looks when the item is written. On PostgreSQL it shares a lock on the queue's row, which
whoever retires takes for himself: of the two, the second one sees what the first one did. SQLite has one writer.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict
from inference.models import Site
from review.models import Item, Queue
from review.triggers import Trigger, function

NAME = "no_open_item_in_what_is_retired"
SAID = "what is retired takes no open item"
ITEMS, QUEUES, SITES = (model._meta.db_table for model in (Item, Queue, Site))
BODY = f"""
DECLARE gone timestamptz;
BEGIN
    SELECT retired_at INTO gone FROM {QUEUES} WHERE id = NEW.queue_id FOR SHARE;
    IF gone IS NULL THEN
        SELECT retired_at INTO gone FROM {SITES} WHERE id = NEW.site_id;
    END IF;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION '{SAID}' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
"""  # noqa: S608
RETIRED = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.{column} AND retired_at IS NOT NULL)"  # noqa: S608
    for table, column in ((QUEUES, "queue_id"), (SITES, "site_id"))
)


def trigger(name: str, event: str) -> Trigger:
    head = f'CREATE TRIGGER "{name}" BEFORE {event} ON "{ITEMS}" FOR EACH ROW WHEN'
    return Trigger(
        name,
        ITEMS,
        {
            "postgresql": [function(NAME, BODY), f"{head} (NEW.state = 'open') EXECUTE FUNCTION secondlook_{NAME}()"],
            "sqlite": [f"{head} NEW.state = 'open' AND ({RETIRED}) BEGIN SELECT RAISE(ABORT, '{SAID}'); END"],
        },
    )


TRIGGERS = [trigger(NAME, "INSERT"), trigger(f"{NAME}_later", "UPDATE OF queue_id, state")]


@contextmanager
def refused_when_retired() -> Iterator[None]:
    """Turn the trigger's refusal into Conflict `queue_retired`; around the whole transaction."""
    try:
        yield
    except IntegrityError as error:
        if SAID not in str(error):
            raise
        raise Conflict(_("This queue is retired."), code="queue_retired") from None
