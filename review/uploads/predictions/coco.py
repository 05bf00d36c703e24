"""COCO JSON: results (a list of predictions by picture number), or whole files whose annotations have a `score`.

Results need a whole file in the same upload for the names of pictures and categories. Boxes are
`[x, y, width, height]` in pixels; a segmentation is one polygon `[[x1, y1, x2, y2, ...]]`, not a mask.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from accounts.exceptions import Invalid
from inference.models.registry import Task
from review.schemas import MAX_POINTS
from review.strict_json import loads
from review.uploads.predictions import Expected, Faulty, Listing, Prediction, Said


class Coco:
    """JSON files."""

    def fits(self, name: str) -> bool:
        return name.lower().endswith(".json")

    def read(self, name: str, data: bytes, expected: Expected) -> Iterator[Said]:
        value = parsed(data)
        if isinstance(value, list):
            listing, rows, path = expected.listing, value, "$"
            # Results name only pictures on which something was found: the others are listed, and were seen.
            found = {number: Said(*head(one)) for number, one in listing.pictures.items()}
        else:
            listing, rows, path = listing_of(value), value.get("annotations"), "$.annotations"
            found = {number: Said(*head(one)) for number, one in listing.pictures.items()}
        if not isinstance(rows, list):
            raise Faulty(path, _("is no list"))
        if not listing.pictures:
            raise Faulty("$", _("no file of this upload lists the pictures by their numbers"))
        for place, row in enumerate(rows):
            at = f"{path}[{place}]"
            said = found.get(row["image_id"]) if isinstance(row, dict) and is_number(row.get("image_id")) else None
            if said is None:
                raise Faulty(f"{at}.image_id", _("no listed picture has this number"))
            try:
                said.predictions.append(prediction(row, listing, expected))
            except ValueError as error:
                said.faults.append(Faulty(at, str(error)))
        yield from found.values()


def head(one: tuple[str, tuple[int, int] | None]) -> Any:
    name, size = one
    return name, [], [], size


def parsed(data: bytes) -> Any:
    """A list or an object. Raises Faulty."""
    try:
        value = loads(data)
    except Invalid as error:
        raise Faulty("$", str(error.detail)) from None
    if not isinstance(value, list | dict):
        raise Faulty("$", _("is neither results nor a COCO file"))
    return value


def is_results(value: Any) -> bool:
    return isinstance(value, list)


def listing_of(value: dict[str, Any]) -> Listing:
    """Pictures and categories of a whole COCO file. Raises Faulty."""
    pictures: dict[int, tuple[str, Any]] = {}
    categories: dict[int, str] = {}
    for place, row in enumerate(rows_of(value, "images")):
        at = f"$.images[{place}]"
        if not is_number(row.get("id")) or not isinstance(row.get("file_name"), str):
            raise Faulty(at, _("has no number or no file name"))
        if row["id"] in pictures:
            raise Faulty(f"{at}.id", _("is there twice"))
        size = (row.get("width"), row.get("height"))
        pictures[row["id"]] = (row["file_name"], size if all(is_number(side) for side in size) else None)
    for place, row in enumerate(rows_of(value, "categories")):
        at = f"$.categories[{place}]"
        if not is_number(row.get("id")) or not isinstance(row.get("name"), str):
            raise Faulty(at, _("has no number or no name"))
        if categories.setdefault(row["id"], row["name"]) != row["name"]:
            raise Faulty(f"{at}.id", _("is there twice"))
    return Listing(pictures, categories)


def rows_of(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    rows = value.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Faulty(f"$.{key}", _("is no list of objects"))
    return rows


def merged(one: Listing, other: Listing) -> Listing:
    """Both together. Raises Faulty where they give one number two meanings."""
    for mine, theirs, path in (
        (one.pictures, other.pictures, "$.images"),
        (one.categories, other.categories, "$.categories"),
    ):
        if any(mine[number] != theirs[number] for number in mine.keys() & theirs.keys()):
            raise Faulty(path, _("another file gives these numbers another meaning"))
    return Listing(one.pictures | other.pictures, one.categories | other.categories)


def prediction(row: dict[str, Any], listing: Listing, expected: Expected) -> Prediction:
    """One annotation or result. Raises ValueError that says what is wrong with it."""
    number = row.get("category_id")
    name = listing.categories.get(number) if isinstance(number, int) and is_number(number) else None
    if name is None:
        raise ValueError(_("no category has the number %s") % repr(number)[:20])
    score = row.get("score", expected.confidence)
    if score is None:
        raise ValueError(_("there is no score"))
    if not is_measure(score) or not 0 <= score <= 1:
        raise ValueError(_("the score does not lie between 0 and 1"))
    if expected.task == Task.DETECTION:
        return Prediction(name, float(score), box=box(row.get("bbox")))
    if expected.task == Task.SEGMENTATION:
        return Prediction(name, float(score), polygon=polygon(row.get("segmentation")))
    return Prediction(name, float(score))


def box(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != 4 or not all(is_measure(one) for one in value):
        raise ValueError(_("bbox is not [x, y, width, height]"))
    x, y, width, height = (float(one) for one in value)
    if not (width > 0 and height > 0):
        raise ValueError(_("the box has no area"))
    return x, y, width, height


def polygon(value: Any) -> tuple[tuple[float, float], ...]:
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], list):
        raise ValueError(_("segmentation is not one polygon; masks and several parts are not read"))
    (flat,) = value
    if len(flat) % 2 or not 6 <= len(flat) <= 2 * MAX_POINTS or not all(is_measure(one) for one in flat):
        raise ValueError(_("a polygon has 3 to %d points, each with x and y") % MAX_POINTS)
    return tuple((float(x), float(y)) for x, y in zip(flat[::2], flat[1::2], strict=True))


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_measure(value: Any) -> bool:
    """A number that a picture may hold; compared before anything is converted, because whole numbers may be huge."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e9 < value < 1e9
