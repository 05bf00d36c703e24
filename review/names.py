"""What the names that sources use stand for at a site. Intake, routing and the desk ask here."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from inference.models import Camera, ModelVersion, Site
from review.models import Event, EventNames, NameMap, ParkingCause

# How long a look at a site's maps counts; a change in this process counts at once.
FRESH_S = 2.0
MOST = 1000
Maps = dict[tuple[str, str], NameMap]
_kept: dict[UUID, tuple[float, Maps]] = {}


def maps_of(site_id: UUID) -> Maps:
    """The maps of a site in force, by cause and value."""
    at, maps = _kept.get(site_id, (-FRESH_S, {}))
    if time.monotonic() - at < FRESH_S:
        return maps
    rows = NameMap.objects.filter(site_id=site_id, ended_at=None).select_related("camera", "model_version")
    maps = {(row.cause, row.value): row for row in rows}
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[site_id] = (time.monotonic(), maps)
    return maps


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


def class_names(site_id: UUID) -> Mapping[str, str]:
    """Class names of sources that stand for another one at this site."""
    return {value: row.class_name for (cause, value), row in maps_of(site_id).items() if cause == ParkingCause.CLASS}


def in_our_words(event: Event, predictions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Predictions with the class that the model's word stands for; the word itself is `said` where it differs."""
    words = class_names(event.site_id)
    if not words:
        return predictions
    return [
        prediction | {"class": words[name], "said": name}
        if (name := prediction["class"]) in words and words[name] != name
        else prediction
        for prediction in predictions
    ]


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
