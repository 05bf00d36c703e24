"""What is known at a site and never becomes unknown again, kept in the process: model versions and class names.

Only what was found is kept. What was not found is looked up each time, so that the first event after somebody created
it comes through.
"""

import time
from datetime import timedelta
from uuid import UUID

from inference.models import ModelVersion
from review.models import FormerName, Queue, TaxonomyClass

MOST = 10_000
FRESH_S = 2.0
_due: dict[UUID, tuple[float, timedelta]] = {}
_models: dict[tuple[UUID, str, str], ModelVersion] = {}
_classes: dict[UUID, set[str]] = {}


def model_version(site_id: UUID, name: str, version: str) -> ModelVersion | None:
    """The model version of this name at a site. Its row never changes."""
    key = (site_id, name, version)
    found = _models.get(key)
    if found is None:
        found = ModelVersion.objects.filter(site_id=site_id, name=name, version=version).first()
        if found is not None:
            if len(_models) >= MOST:
                _models.clear()
            _models[key] = found
    return found


def unknown_classes(site_id: UUID, names: set[str]) -> set[str]:
    """Those of `names` that no class of the site has or had. Classes are never deleted: a known one stays so."""
    known = _classes.setdefault(site_id, set())
    missing = names - known
    if missing:
        rows = TaxonomyClass.objects.filter(taxonomy__site_id=site_id, name__in=missing)
        known.update(rows.values_list("name", flat=True))
    if left := missing - known:
        former = FormerName.objects.filter(taxonomy__site_id=site_id, name__in=left)
        known.update(former.values_list("name", flat=True))
    return missing - known


def due_in(queue_id: UUID) -> timedelta:
    """How soon items of a queue are due: a setting that people change, so it is looked up every `FRESH_S`."""
    at, found = _due.get(queue_id, (-FRESH_S, timedelta()))
    if time.monotonic() - at >= FRESH_S:
        found = Queue.objects.values_list("due_in", flat=True).get(pk=queue_id)
        if len(_due) >= MOST:
            _due.clear()
        _due[queue_id] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Look everything up again; for tests, whose rows are rolled back."""
    _models.clear()
    _classes.clear()
    _due.clear()
