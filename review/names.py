"""What the names that sources use stand for at a site. Intake, routing and the desk ask here."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef

from inference.models import Camera, ModelVersion, Site
from review.models import Event, EventNames, FormerName, NameMap, ParkingCause, TaxonomyClass

# How long a look at a site's maps counts; a change in this process counts at once.
FRESH_S = 2.0
MOST = 1000
Maps = dict[tuple[str, str], NameMap]


@dataclass(frozen=True, slots=True)
class Words:
    """What is kept of a site: its maps in force, those of one model's classes, and what classes were called before.

    `by_model` holds, by the model's name, the class that each of its words stands for. `former` holds, by taxonomy and
    (under None) for the whole site, today's name by the former one; for the site only where no taxonomy has a class
    that is called so today.
    """

    maps: Maps
    by_model: dict[str, dict[str, str]] = field(default_factory=dict)
    former: dict[UUID | None, dict[str, str]] = field(default_factory=dict)


_kept: dict[UUID, tuple[float, Words]] = {}


def words_of(site_id: UUID) -> Words:
    at, words = _kept.get(site_id, (-FRESH_S, Words({})))
    if time.monotonic() - at < FRESH_S:
        return words
    rows = NameMap.objects.filter(site_id=site_id, ended_at=None).select_related("camera", "model_version")
    words = Words({}, {}, former_names(site_id))
    for row in rows:
        if row.model_name:
            words.by_model.setdefault(row.model_name, {})[row.value] = row.class_name
        else:
            words.maps[row.cause, row.value] = row
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[site_id] = (time.monotonic(), words)
    return words


def former_names(site_id: UUID) -> dict[UUID | None, dict[str, str]]:
    today = TaxonomyClass.objects.filter(taxonomy__site_id=site_id, name=OuterRef("name"))
    rows = FormerName.objects.filter(taxonomy__site_id=site_id).exclude(name=F("named__name"))
    found: dict[UUID | None, dict[str, str]] = {}
    columns = rows.annotate(used=Exists(today)).values_list("taxonomy_id", "name", "named__name", "used")
    for taxonomy_id, name, current, used in columns.order_by("pk"):
        found.setdefault(taxonomy_id, {})[name] = current
        if not used:
            found.setdefault(None, {}).setdefault(name, current)
    return found


def maps_of(site_id: UUID) -> Maps:
    """The maps of a site in force, by cause and value; without those of one model only."""
    return words_of(site_id).maps


def forget() -> None:
    """Look again at the next question."""
    _kept.clear()


def model_value(name: str, version: str, sha256: str = "") -> str:
    """A model version as it is parked; with the beginning of its digest when another file has that version already."""
    return f"{name} {version}{f' @{sha256[:12]}' if sha256 else ''}"[:200]


def mapped_camera(site: Site, name: str) -> Camera | None:
    row = maps_of(site.pk).get((ParkingCause.CAMERA, name))
    return row.camera if row else None


def mapped_model(site: Site, name: str, version: str) -> ModelVersion | None:
    row = maps_of(site.pk).get((ParkingCause.MODEL, model_value(name, version)))
    return row.model_version if row else None


def class_names(site_id: UUID, model_name: str, taxonomy_id: UUID | None = None) -> Mapping[str, str]:
    """Class names of a model that stand for another one at this site, or in one of its taxonomies.

    A word is mapped first, for this model or else for all, and then what it was mapped to goes by the name that this
    class has today.
    """
    words = words_of(site_id)
    former = words.former.get(taxonomy_id, {})
    mapped = {value: row.class_name for (cause, value), row in words.maps.items() if cause == ParkingCause.CLASS}
    mapped |= words.by_model.get(model_name, {})
    return former | {value: former.get(name, name) for value, name in mapped.items()}


def in_our_words(
    event: Event, predictions: list[dict[str, Any]], taxonomy_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Predictions with the class that the model's word stands for; the word itself is `said` where it differs."""
    words = class_names(event.site_id, event.model_name, taxonomy_id)
    if not words:
        return predictions
    return [
        prediction | {"class": words[name], "said": name}
        if (name := prediction["class"]) in words and words[name] != name
        else prediction
        for prediction in predictions
    ]


def for_rules(event: Event, predictions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As `in_our_words`, with the former names of each class as `also`: a rule may still name it by one of them."""
    before: dict[str, list[str]] = {}
    for name, current in words_of(event.site_id).former.get(None, {}).items():
        before.setdefault(current, []).append(name)
    found = in_our_words(event, predictions)
    return [one | {"also": before[one["class"]]} if one["class"] in before else one for one in found]


def names_of(event: Event) -> EventNames | None:
    """What was found out about the names of an event after it came; None when they were known."""
    if event.camera_id is not None and event.model_version_id is not None:
        return None
    return EventNames.objects.select_related("camera").filter(event=event).first()


def camera_of(event: Event) -> str:
    """The short name of the event's camera, as it was known or as it was found out; else as it was posted."""
    if event.camera_id is None and event.camera_name and (found := names_of(event)) and found.camera:
        return found.camera.slug
    return event.camera_name
