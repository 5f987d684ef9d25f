"""The one SELECT that the guard server understands, turned into a descriptor.

A statement is taken apart node by node, and whatever is not named here is refused: the parser may
know all of SQL, this reads a shape. Names without quotes are folded to lower case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.expressions import Expression  # pyright: ignore[reportPrivateImportUsage]
from sqlglot.tokens import TokenType  # pyright: ignore[reportPrivateImportUsage]

from halocline_governance.errors import Refused
from halocline_governance.guard.condition import MAX_CONDITIONS, MAX_MEMBERS, Condition
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.principal import Purpose

MAX_BYTES = 256 * 1024
SHAPE = (
    "the guard understands SELECT columns or * FROM one table"
    " [WHERE column =|<>|<|<=|>|>= literal, column IN (literals), column IS [NOT] NULL, joined"
    ' by AND] [LIMIT n]; a compartment is named in quotes: "compartment:schema.table"'
)
_DIALECT = "postgres"
_MAX_DEPTH = 8
_COMPARISONS: dict[type[Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
# A parser that descends by recursion must not be made to descend far.
_NESTING = {TokenType.NOT, TokenType.DASH}


def parse(statement: str, purpose: Purpose | None = None) -> Descriptor:
    """The question that a statement asks.

    Raises:
        Refused: any other shape; the message tells the one there is.
    """
    if len(statement.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Refused(f"a statement has at most {MAX_BYTES} bytes")
    try:
        _shallow(sqlglot.tokenize(statement, read=_DIALECT))
        trees = sqlglot.parse(statement, read=_DIALECT)
    except (SqlglotError, ValueError, RecursionError):
        raise Refused(SHAPE) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        raise Refused(SHAPE)
    parts = _parts(trees[0], "expressions", "from_", "where", "limit")
    return Descriptor(
        table=_table(parts["from_"]),
        columns=_columns(parts["expressions"]),
        where=_where(parts["where"]),
        purpose=purpose,
        limit=_limit(parts["limit"]),
    )


def _shallow(found: Sequence[Any]) -> None:
    if not found or found[0].token_type != TokenType.SELECT:
        raise Refused(SHAPE)
    depth, before = 0, None
    for token in found:
        kind = token.token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if token.comments or depth > _MAX_DEPTH or (kind in _NESTING and kind == before):
            raise Refused(SHAPE)
        before = kind


def _parts(node: object, *names: str) -> dict[str, Any]:
    """These parts of a node, None where left out; no other part may be there."""
    if not isinstance(node, Expression):
        raise Refused(SHAPE)
    for name, value in node.args.items():
        if name not in names and value not in (None, False, []):
            raise Refused(SHAPE)
    return {name: node.args.get(name) for name in names}


def _name(node: object) -> str:
    if not isinstance(node, exp.Identifier) or not isinstance(node.this, str):
        raise Refused(SHAPE)
    quoted = _parts(node, "this", "quoted")["quoted"]
    return node.this if quoted else node.this.lower()


def _table(node: object) -> str:
    if not isinstance(node, exp.From):
        raise Refused(SHAPE)
    table = _parts(node, "this")["this"]
    if not isinstance(table, exp.Table):
        raise Refused(SHAPE)
    parts = _parts(table, "this", "db")
    name = _name(parts["this"])
    return name if parts["db"] is None else f"{_name(parts['db'])}.{name}"


def _columns(nodes: object) -> tuple[str, ...] | None:
    if not isinstance(nodes, list) or not nodes:
        raise Refused(SHAPE)
    listed = cast("list[object]", nodes)
    if len(listed) == 1 and isinstance(listed[0], exp.Star):
        _parts(listed[0])
        return None
    names = tuple(_column(node) for node in listed)
    if len(set(names)) != len(names):
        raise Refused("a column can be asked for once")
    return names


def _column(node: object) -> str:
    if not isinstance(node, exp.Column):
        raise Refused(SHAPE)
    return _name(_parts(node, "this")["this"])


def _where(node: object) -> tuple[Condition, ...]:
    if node is None:
        return ()
    waiting, found = [_parts(node, "this")["this"]], list[Condition]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, exp.And):
            parts = _parts(one, "this", "expression")
            waiting += [parts["expression"], parts["this"]]
        elif isinstance(one, exp.Paren):
            waiting.append(_parts(one, "this")["this"])
        else:
            found.append(_condition(one))
        if len(found) > MAX_CONDITIONS:
            raise Refused(f"at most {MAX_CONDITIONS} conditions a read")
    return tuple(found)


def _condition(node: object) -> Condition:
    if isinstance(node, exp.Not):
        inner = _parts(node, "this")["this"]
        if isinstance(inner, exp.Is) and not inner.args.get("negate"):
            return Condition(_null_test(inner), "not_null")
        raise Refused(SHAPE)
    if isinstance(node, exp.Is):
        return Condition(_null_test(node), "not_null" if node.args.get("negate") else "is_null")
    if isinstance(node, exp.In):
        parts = _parts(node, "this", "expressions")
        members: list[object] = parts["expressions"] or []
        if not 0 < len(members) <= MAX_MEMBERS:
            raise Refused(f"IN takes 1 to {MAX_MEMBERS} values")
        return Condition(_column(parts["this"]), "in", [_literal(one) for one in members])
    op = _COMPARISONS.get(type(node)) if isinstance(node, Expression) else None
    if op is None:
        raise Refused(SHAPE)
    parts = _parts(node, "this", "expression")
    return Condition(_column(parts["this"]), op, _literal(parts["expression"]))


def _null_test(node: exp.Is) -> str:
    parts = _parts(node, "this", "expression", "negate")
    if not isinstance(parts["expression"], exp.Null):
        raise Refused(SHAPE)
    return _column(parts["this"])


def _literal(node: object) -> str | int | float:
    if isinstance(node, exp.Neg):
        inner = _literal(_parts(node, "this")["this"])
        if isinstance(inner, str):
            raise Refused(SHAPE)
        return -inner
    if not isinstance(node, exp.Literal):
        raise Refused(SHAPE)
    parts = _parts(node, "this", "is_string")
    text = str(parts["this"])
    if parts["is_string"]:
        return text
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise Refused(SHAPE) from None


def _limit(node: object) -> int | None:
    if node is None:
        return None
    if not isinstance(node, exp.Limit):
        raise Refused(SHAPE)
    count = _literal(_parts(node, "expression")["expression"])
    if type(count) is not int or not 0 <= count < 2**63:
        raise Refused("LIMIT takes a whole number from 0")
    return count
