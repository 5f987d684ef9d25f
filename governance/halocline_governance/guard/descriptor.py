"""What is asked of the guard server, as JSON, read strictly:

    {"table": "buy:curated.documents", "columns": ["source", "text"],
     "where": [["num_pii", "=", 0], ["text", "not_null", null]],
     "version": 3, "purpose": "analysis", "limit": 100}

Only `table` must be there. What the columns are, and who may read them, is the guard's to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from halocline_governance import strict_json
from halocline_governance.errors import Refused
from halocline_governance.guard.condition import MAX_CONDITIONS, OPERATORS, Condition
from halocline_governance.principal import Purpose

MAX_BYTES = 256 * 1024
_MAX_COLUMNS = 256
_MAX_NAME = 256
_MAX_NUMBER = 2**63 - 1
_KEYS = ("table", "columns", "where", "version", "purpose", "limit")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One question for rows. `columns` None is every column that may be read; `purpose` None is
    whatever the call's header says."""

    table: str
    columns: tuple[str, ...] | None = None
    where: tuple[Condition, ...] = ()
    version: int | None = None
    purpose: Purpose | None = None
    limit: int | None = None

    def encode(self) -> bytes:
        """The JSON form; what is not asked is left out.

        Raises:
            Refused: a value that JSON does not hold.
        """
        conditions = [[one.column, one.op, one.value] for one in self.where]
        asked: dict[str, Any] = {
            "table": self.table,
            "columns": None if self.columns is None else list(self.columns),
            "where": conditions or None,
            "version": self.version,
            "purpose": self.purpose.value if self.purpose else None,
            "limit": self.limit,
        }
        told = {key: val for key, val in asked.items() if val is not None}
        try:
            return json.dumps(told, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise Refused("a condition's value is a text, a number, or for `in` a list") from None


def parse(content: bytes) -> Descriptor:
    """The question that these bytes are.

    Raises:
        Refused: too long, not JSON, a key unknown or twice, or a value of another type.
    """
    if len(content) > MAX_BYTES:
        raise Refused(f"a descriptor has at most {MAX_BYTES} bytes")
    try:
        asked = strict_json.loads(content)
    except ValueError:
        raise Refused("a descriptor is one JSON object, each key once") from None
    if not isinstance(asked, dict):
        raise Refused("a descriptor is one JSON object")
    fields = cast("dict[str, Any]", asked)
    if unknown := set(fields) - set(_KEYS):
        raise Refused(f"{len(unknown)} unknown keys; a descriptor has: {', '.join(_KEYS)}")
    if "table" not in fields:
        raise Refused("a descriptor names a table")
    return Descriptor(
        table=_name(fields["table"], "table"),
        columns=_columns(fields.get("columns")),
        where=_where(fields.get("where")),
        version=_number(fields.get("version"), "version"),
        purpose=_purpose(fields.get("purpose")),
        limit=_number(fields.get("limit"), "limit"),
    )


def of(
    table: str,
    columns: Sequence[str] | None,
    where: Iterable[Condition | Sequence[Any]],
    version: int | None,
    why: Purpose | str,
    limit: int | None,
) -> Descriptor:
    """The question in these words, from Python.

    Raises:
        Refused: not of the form, such as a text where a list is meant; the message tells it.
    """
    if isinstance(columns, str):
        raise Refused(f"columns is a list of names, such as [{columns!r}]")
    asked = Descriptor(
        table,
        None if columns is None else tuple(columns),
        tuple(_named(one) for one in (where if not isinstance(where, str) else [where])),
        version,
        purpose(why),
        limit,
    )
    return parse(asked.encode())


def purpose(name: str) -> Purpose:
    """A purpose by its name.

    Raises:
        Refused: there is none of that name.
    """
    try:
        return Purpose(name)
    except ValueError:
        raise Refused(f"the purpose is one of: {', '.join(Purpose)}") from None


def _name(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME:
        raise Refused(f"{what} is a name")
    return value


def _columns(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = cast("list[object]", value) if isinstance(value, list) else []
    if not 0 < len(names) <= _MAX_COLUMNS:
        raise Refused("columns is a list of names, or left out for all that may be read")
    found = tuple(_name(name, "a column") for name in names)
    if len(set(found)) != len(found):
        raise Refused("a column can be asked for once")
    return found


def _named(one: object) -> Condition:
    if isinstance(one, Condition):
        return one
    parts = cast("Sequence[Any]", one) if isinstance(one, list | tuple) else ()
    if len(parts) != 3:
        raise Refused("where is a list of conditions, such as [('num_pii', '=', 0)]")
    return Condition(*parts)


def _where(value: object) -> tuple[Condition, ...]:
    if value is None:
        return ()
    rows = cast("list[object]", value) if isinstance(value, list) else [None]
    if len(rows) > MAX_CONDITIONS:
        raise Refused(f"at most {MAX_CONDITIONS} conditions a read")
    return tuple(_condition(row) for row in rows)


def _condition(value: object) -> Condition:
    parts = cast("list[object]", value) if isinstance(value, list) else []
    if len(parts) != 3:
        raise Refused("a condition is [column, operator, value]")
    column, op, literal = parts
    if not isinstance(op, str) or op not in OPERATORS:
        raise Refused(f"a condition's operator is one of: {', '.join(OPERATORS)}")
    if isinstance(literal, Mapping):
        raise Refused("a condition's value is a literal, or a list of them for `in`")
    return Condition(_name(column, "a condition's column"), op, literal)


def _number(value: object, what: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise Refused(f"{what} is a whole number from 0")
    return value


def _purpose(value: object) -> Purpose | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused("the purpose is a name")
    return purpose(value)
