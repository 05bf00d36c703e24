"""What a model calls things at a site, and what each of its words stands for there."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from django.db.models import Count

from inference.models import ModelVersion, Site
from review import names
from review.models import Event, NameMap, Parking, ParkingCause, TaxonomyClass

# How many of a site's newest events are read for words, and how many words are shown at most.
EVENTS, MOST = 500, 500


@dataclass(frozen=True, slots=True)
class Word:
    """One class name of a model. `stands_for` is blank for what the site does not know, which then waits."""

    value: str
    stands_for: str = ""
    waiting: int = 0
    # The map in force, of this model or else of every model.
    map: NameMap | None = None

    @property
    def is_renamed(self) -> bool:
        """Whether it is a former name of the class that it stands for."""
        return self.map is None and self.stands_for not in {"", self.value}


def words_of_model(site: Site, model_name: str) -> list[Word]:
    """The words that its versions declare, that it said lately, that wait, or that are mapped for it.

    Those that stand for nothing come first, then what is mapped for it, each by name.
    """
    waiting = parked_words(site, model_name)
    maps = {
        row.value: row
        for row in NameMap.objects.filter(site=site, cause=ParkingCause.CLASS, ended_at=None)
        .filter(model_name__in=["", model_name])
        .select_related("created_by")
        .order_by("model_name")
    }
    own = {value for value, row in maps.items() if row.model_name}
    said = sorted(declared(site, model_name) | said_lately(site, model_name) | waiting.keys() | own)[:MOST]
    known = set(
        TaxonomyClass.objects.filter(taxonomy__site=site, name__in=said).values_list("name", flat=True).distinct()
    )
    former = names.former_names(site.pk).get(None, {})
    words = [
        Word(value, stands_for(value, maps, known, former), waiting.get(value, 0), maps.get(value)) for value in said
    ]
    return sorted(words, key=lambda word: (word.stands_for != "", word.value not in own))


def stands_for(value: str, maps: dict[str, NameMap], known: Collection[str], former: dict[str, str]) -> str:
    if value in maps:
        name = maps[value].class_name
        return former.get(name, name)
    return former.get(value, value if value in known else "")


def declared(site: Site, model_name: str) -> set[str]:
    """The classes that the registered versions name."""
    lists = ModelVersion.objects.filter(site=site, name=model_name).values_list("classes", flat=True)
    return {str(name) for name in chain.from_iterable(lists)}


def said_lately(site: Site, model_name: str) -> set[str]:
    rows = Event.objects.filter(site=site).order_by("-received_at", "-id").values_list("model_name", "predictions")
    return {one["class"] for name, predictions in rows[:EVENTS] if name == model_name for one in predictions}


def parked_words(site: Site, model_name: str) -> dict[str, int]:
    """The words of a model that wait in the inbox, each with the number of its events."""
    rows = Parking.objects.filter(site=site, cause=ParkingCause.CLASS, model_name=model_name, resolved_at=None)
    return dict(rows.order_by().values_list("value").annotate(Count("pk")).order_by("value")[:MOST])


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a site by its name: its newest version, how many there are, and the words mapped for it alone."""

    newest: ModelVersion
    versions: int
    own_words: int


def models_of(sites: Collection[Site]) -> list[Model]:
    """The models that are registered at `sites`, by site and name, at most `MOST`."""
    rows = ModelVersion.objects.filter(site__in=sites).order_by("site__name", "name", "created_at")
    by_name: dict[tuple[UUID, str], list[ModelVersion]] = {}
    for version in rows.select_related("site").defer("classes", "input")[:MOST]:
        by_name.setdefault((version.site_id, version.name), []).append(version)
    mapped = NameMap.objects.filter(site__in=sites, ended_at=None).exclude(model_name="").order_by()
    own = {(site, name): n for site, name, n in mapped.values_list("site_id", "model_name").annotate(Count("pk"))}
    return [Model(versions[-1], len(versions), own.get(key, 0)) for key, versions in by_name.items()]
