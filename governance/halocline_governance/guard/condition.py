"""What a caller may ask for on top of what the policy grants: column, comparison, literal.

Comparisons cannot fail on a value, so a condition tells nothing of rows that the filter hides.
NULL meets no comparison, as in SQL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from halocline_governance import tables
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
NULL_TESTS = ("is_null", "not_null")
OPERATORS = (*COMPARISONS, "in", *NULL_TESTS)
MAX_CONDITIONS = 64
MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Condition:
    """`value` is a literal of the column's type; a list of them for `in`; None for null tests."""

    column: str
    op: str
    value: Any = None


def expression(
    conditions: Sequence[Condition], table: tables.Table, open_columns: Collection[str]
) -> pc.Expression | None:
    """All conditions together as a native filter; None when there are none.

    Args:
        conditions: what the caller asks for.
        table: whose columns they name.
        open_columns: columns that the caller reads, and reads as they are.

    Raises:
        Refused: another column, operator or type of value.
    """
    if len(conditions) > MAX_CONDITIONS:
        raise Refused(f"at most {MAX_CONDITIONS} conditions a read")
    whole: pc.Expression | None = None
    for condition in conditions:
        one = _one(condition, table, open_columns)
        whole = one if whole is None else whole & one
    return whole


def _one(condition: Condition, table: tables.Table, open_columns: Collection[str]) -> pc.Expression:
    import pyarrow.compute as pc

    if condition.column not in open_columns:
        raise Refused("a condition must be on a column that you read, and read unmasked")
    if condition.op not in OPERATORS:
        raise Refused(f"a condition's operator is one of: {', '.join(OPERATORS)}")
    type_ = table.arrow().field(condition.column).type
    field = pc.field(condition.column)
    if condition.op in NULL_TESTS:
        if condition.value is not None:
            raise Refused(f"{condition.op} takes no value")
        return field.is_null() if condition.op == "is_null" else field.is_valid()
    if condition.op == "in":
        return field.isin(_members(condition.value, type_))
    value = _literals([condition.value], type_)[0]
    return _COMPARE[condition.op](field, value)


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda field, value: field == value,
    "!=": lambda field, value: field != value,
    "<": lambda field, value: field < value,
    "<=": lambda field, value: field <= value,
    ">": lambda field, value: field > value,
    ">=": lambda field, value: field >= value,
}


def _members(value: object, type_: pa.DataType) -> pa.Array:
    if not isinstance(value, list | tuple):
        raise Refused("`in` takes a list of values")
    members = list(cast("Sequence[object]", value))
    if len(members) > MAX_MEMBERS:
        raise Refused(f"`in` takes at most {MAX_MEMBERS} values")
    return _literals(members, type_)


def _literals(values: list[object], type_: pa.DataType) -> pa.Array:
    """Typed without conversion: a number is not a text, and none is rounded to fit."""
    import pyarrow as pa

    fits = _fits(type_)
    try:
        if not all(fits(value) for value in values):
            raise Refused(f"a condition's value must be a {type_}")
        return pa.array(values, type=type_)
    except (pa.ArrowException, OverflowError, UnicodeError):
        raise Refused(f"a condition's value must be a {type_}") from None


def _fits(type_: pa.DataType) -> Callable[[object], bool]:
    import pyarrow as pa

    if pa.types.is_string(type_):
        return lambda value: isinstance(value, str)
    if pa.types.is_integer(type_):
        return lambda value: type(value) is int
    if pa.types.is_floating(type_):
        return lambda value: type(value) in (int, float) and math.isfinite(cast("float", value))
    raise Refused(f"a {type_} column can only be tested for null")
