"""Attributes of classes: defined, widened and retired by those who keep the taxonomy; and what labels say by them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from review.actions.taxonomies import changing, class_of, record_change
from review.models import ClassAttribute, Taxonomy
from review.schemas import is_printable

LONGEST = 60
MOST_ATTRIBUTES, MOST_VALUES = 20, 50
# The attributes of classes, also those that are retired, by the index of the class.
Definitions = Mapping[int, Sequence[ClassAttribute]]


def define_attribute(
    *, taxonomy: Taxonomy, pk: Any, name: str, values: Sequence[str], required: bool, person: User
) -> ClassAttribute:
    """A new attribute of a class; or, under a name that it has, more values, another `required`, back from retirement.

    Raises Invalid `bad_attribute`, `too_many` or `values_gone`: what people have answered with stays an answer.
    """
    require_words([name, *values])
    if len(set(values)) != len(values) or len(values) > MOST_VALUES:
        raise Invalid(_("An attribute has at most %d values, each once.") % MOST_VALUES, code="bad_attribute")
    with changing(taxonomy) as locked:
        row = class_of(locked, pk)
        found = row.attributes.filter(name=name).first()
        if found is None and row.attributes.count() >= MOST_ATTRIBUTES:
            raise Invalid(_("A class has at most %d attributes.") % MOST_ATTRIBUTES, code="too_many")
        if found is None:
            found = ClassAttribute(of=row, name=name)
        elif found.values != list(values)[: len(found.values)] or bool(found.values) != bool(values):
            raise Invalid(_("Values are added at the end, and none is taken away."), code="values_gone")
        found.values, found.required, found.retired_at = list(values), required, None
        found.save()
        record_change(
            "attribute.defined", locked, person, name=row.name, attribute=name, values=list(values), required=required
        )
    return found


def retire_attribute(*, taxonomy: Taxonomy, pk: Any, name: str, person: User, now: datetime) -> None:
    """From now on nobody answers with it; what was answered stays. Raises Conflict `retired_already`."""
    with changing(taxonomy) as locked:
        row = class_of(locked, pk)
        if not row.attributes.filter(name=name, retired_at=None).update(retired_at=now):
            raise Conflict(_("This attribute is retired already."), code="retired_already")
        record_change("attribute.retired", locked, person, name=row.name, attribute=name)


def require_words(words: Iterable[str]) -> None:
    for word in words:
        if word != word.strip() or not 1 <= len(word) <= LONGEST or not is_printable(word) or "\n" in word:
            raise Invalid(_("Attributes and values have 1 to 60 printable characters."), code="bad_attribute")


def definitions_of(taxonomy_id: Any, indexes: set[int]) -> dict[int, list[ClassAttribute]]:
    """The attributes of the classes with these indexes, also retired ones: somebody may still have them on his desk."""
    rows = ClassAttribute.objects.filter(of__taxonomy_id=taxonomy_id, of__index__in=indexes)
    found: dict[int, list[ClassAttribute]] = {}
    for row in rows.select_related("of"):
        found.setdefault(row.of.index, []).append(row)
    return found


def fitted(predictions: Sequence[dict[str, Any]], taxonomy_id: Any) -> list[dict[str, Any]]:
    """Predictions, in the words of a taxonomy, with those of their attributes that their class knows."""
    if not any(prediction.get("attributes") for prediction in predictions):
        return list(predictions)
    by_class: dict[str, list[ClassAttribute]] = {}
    for row in ClassAttribute.objects.filter(of__taxonomy_id=taxonomy_id).select_related("of"):
        by_class.setdefault(row.of.name, []).append(row)
    return [
        one | {"attributes": fitting(by_class.get(one["class"], ()), one.get("attributes") or {})}
        for one in predictions
    ]


def fitting(definitions: Sequence[ClassAttribute], said: Mapping[str, Any]) -> dict[str, Any]:
    """What a model said by the attributes of a class; all of it where the class has none."""
    if not definitions:
        return dict(said)
    return {row.name: said[row.name] for row in definitions if row.name in said and row.takes(said[row.name])}


def require_attributes(
    labels: Sequence[Mapping[str, Any]], definitions: Definitions, paths: Sequence[str] | None = None
) -> None:
    """Refuse labels that do not keep to the attributes of their classes; a class without any takes what is said.

    `paths` says where each stands in the answer, if not in this order. Raises Invalid `unknown_attribute`,
    `bad_attribute_value` or `attribute_required`, with the path of each.
    """
    for place, label in enumerate(labels):
        rows, said = definitions.get(label["index"], ()), label["attributes"]
        by_name = {row.name: row for row in rows}
        path = paths[place] if paths else f"$.labels[{place}]"
        for name, value in said.items() if rows else ():
            if name not in by_name:
                refuse("unknown_attribute", path, name, _("The class has no attribute “%(name)s”."))
            if not by_name[name].takes(value):
                refuse("bad_attribute_value", path, name, _("“%(name)s” has no such value."))
        for row in rows:
            if row.required and row.retired_at is None and row.name not in said:
                refuse("attribute_required", path, row.name, _("Say “%(name)s” of each label of this class."))


def refuse(code: str, label: str, name: str, words: Any) -> None:
    told = str(words % {"name": name[:LONGEST]})
    path = f"{label}.attributes.{name[:LONGEST]}"
    raise Invalid(told, code=code, errors=[{"path": path, "message": told}])
