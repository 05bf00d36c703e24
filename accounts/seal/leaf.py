"""The bytes of a leaf: a row as canonical JSON, the same on SQLite and PostgreSQL (docs/seal.md has the rules).

    {"kind":"audit_entry","layout":1,"row":{"id":7,"verb":"person.created", ...}}

Keys are sorted, no spaces, ASCII only. Values are shaped here from what the database itself gives out, not by the
model's converters: JSON columns are read as text, because the two databases store it differently.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

EXACT = 2**53
Shape = Callable[[Any], Any]
FORMS = {
    "BooleanField": "flag",
    "DateTimeField": "instant",
    "FloatField": "number",
    "GenericIPAddressField": "address",
    "JSONField": "json",
    "UUIDField": "uuid",
}
# An expression, so that the driver's converters for columns (which guess at damaged values) stay out of it.
SQLITE = {"instant": "CAST({0} AS text)", "flag": "CAST({0} AS text)"}
POSTGRES = {
    "instant": """to_char(timezone('UTC', {0}), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "json": "({0})::text",
    "uuid": "({0})::text",
    "address": "host({0})",
}


def decimal_number(text: str) -> int | float:
    """A number with a point or an exponent; a whole one is an integer, as PostgreSQL's jsonb would give it back."""
    value = float(text)
    if not value.is_integer():
        return value
    # A double holds whole numbers exactly up to here; beyond, the digits decide and not the binary value.
    return int(value) if abs(value) < EXACT else int(Decimal(text))


read_json = json.JSONDecoder(parse_float=decimal_number).decode


def shape_number(value: Any) -> Any:
    return decimal_number(repr(value)) if isinstance(value, float) else value


def shape_json(value: Any) -> Any:
    return None if value is None else read_json(value)


def shape_sqlite_flag(value: Any) -> Any:
    return {"0": False, "1": True}.get(value, value)


def shape_sqlite_instant(value: Any) -> Any:
    """Django writes UTC without a zone, and leaves microseconds out when there are none."""
    if not isinstance(value, str):
        return value
    return f"{value[:10]}T{value[11:]}{'' if len(value) > 19 else '.000000'}Z"


def shape_sqlite_uuid(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != 32:
        return value
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


SHAPES: dict[str, dict[str, Shape]] = {
    "sqlite": {
        "number": shape_number,
        "json": shape_json,
        "flag": shape_sqlite_flag,
        "instant": shape_sqlite_instant,
        "uuid": shape_sqlite_uuid,
    },
    "postgresql": {"number": shape_number, "json": shape_json},
}


def form_of(field: models.Field[Any, Any]) -> str:
    """How a column is written: its own type, or that of the key it points to."""
    target = field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    return FORMS.get(target.get_internal_type(), "plain")


@dataclass(frozen=True)
class Columns:
    """Some columns of a table, ready to be read on one database and shaped into values of JSON."""

    names: tuple[str, ...]
    sql: str
    shapes: tuple[tuple[int, Shape], ...]

    @classmethod
    def of(cls, model: type[models.Model], names: Sequence[str], connection: BaseDatabaseWrapper) -> "Columns":
        quote, vendor = connection.ops.quote_name, connection.vendor
        fields: dict[str, Any] = {str(field.column): field for field in model._meta.concrete_fields}
        forms = [form_of(fields[name]) for name in names]
        wrap = POSTGRES if vendor == "postgresql" else SQLITE
        told = [wrap.get(form, "{0}").format(quote(name)) for name, form in zip(names, forms, strict=True)]
        shapes = SHAPES[vendor]
        shaped = tuple((place, shapes[form]) for place, form in enumerate(forms) if form in shapes)
        return cls(tuple(names), ", ".join(told), shaped)

    def values(self, raw: Sequence[Any]) -> dict[str, Any]:
        """The columns of one row by name. Raises ValueError or TypeError for what no such row can hold."""
        row = list(raw)
        for place, shape in self.shapes:
            if row[place] is not None:
                row[place] = shape(row[place])
        return dict(zip(self.names, row, strict=True))
