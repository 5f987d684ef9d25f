"""Conditions as one types them: `num_pii = 0`, `language in en,de`, `text not_null`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from halocline_governance import tables
from halocline_governance.errors import Refused
from halocline_governance.guard.condition import COMPARISONS, NULL_TESTS, OPERATORS, Condition

_SIGNS = "|".join(sorted(map(re.escape, COMPARISONS), key=len, reverse=True))
_WORDS = "|".join(op for op in OPERATORS if op not in COMPARISONS)
_WRITTEN = re.compile(rf"\s*(\w+)(?:\s*({_SIGNS})|\s+({_WORDS})(?:\s|$))(.*)", re.DOTALL)


def conditions(table: str, written: Sequence[str]) -> tuple[Condition, ...]:
    """Conditions with values of their columns' types.

    Args:
        table: whose columns they name; a compartment may stand before it.
        written: `column operator value`; `in` takes values with commas between, or a JSON list.

    Raises:
        Refused: another form, or a value that is not of the column's type.
    """
    types = {column.name: column.type for column in tables.table(table.rpartition(":")[2]).columns}
    return tuple(_condition(one, types) for one in written)


def _condition(written: str, types: dict[str, str]) -> Condition:
    parts = _WRITTEN.fullmatch(written)
    if parts is None:
        raise Refused(f"--where takes 'column operator value'; operators: {', '.join(OPERATORS)}")
    column, op, text = parts[1], parts[2] or parts[3], parts[4].strip()
    if column not in types:
        raise Refused(f"--where: no column {column}")
    if op in NULL_TESTS:
        if text:
            raise Refused(f"--where: {op} takes no value")
        return Condition(column, op)
    if op == "in":
        return Condition(column, op, [_literal(one, types[column]) for one in _members(text)])
    return Condition(column, op, _literal(text, types[column]))


def _members(text: str) -> list[object]:
    if not text.startswith("["):
        return [part.strip() for part in text.split(",")]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("--where: `in` takes values with commas between, or a JSON list") from None


def _literal(value: object, type_: str) -> object:
    convert = {"long": int, "int": int, "double": float}.get(type_)
    if convert is None or not isinstance(value, str):
        return value
    try:
        return convert(value)
    except ValueError:
        raise Refused(f"--where: the column is a {type_}, and the value is not") from None
