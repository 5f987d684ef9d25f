"""What orders to erase took away, as a report says it: a thing that is gone is no damage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from halocline_governance.erasure.told import Told, of
from halocline_governance.errors import Refused
from halocline_governance.report.period.field import at
from halocline_governance.report.record import Entry

_NAMED = 20


def done(steps: Iterable[Entry]) -> list[Told]:
    """The orders that are done, in the order of time; steps that are not of the form of one count
    for nothing."""
    orders: dict[str, list[Entry]] = {}
    for one in steps:
        orders.setdefault(str(at(one.object, "order").get("id")), []).append(one)
    found: list[Told] = []
    for of_order in orders.values():
        try:
            found += of((one.log, one.seq, one.event) for one in of_order)
        except (KeyError, TypeError, ValueError, Refused):
            continue
    return sorted(found, key=lambda one: (one.ts, one.id))


def gaps(orders: Sequence[Told]) -> list[str]:
    """One line for each of the newest orders that removed something, and one for the others."""
    removed = [order for order in orders if order.rows]
    older = removed[:-_NAMED]
    found = [_gap(order) for order in removed[-_NAMED:]]
    if older:
        num = sum(row.num for order in older for row in order.rows)
        found.append(f"{len(older)} older orders erased {num} rows")
    return found


def by(orders: Iterable[Told], compartment: str, table: str) -> str:
    """The orders that removed rows of a table, in words; empty when none did."""
    found = [order.id for order in orders if order.touched(compartment, table)]
    if not found:
        return ""
    more = f" and {len(found) - _NAMED} before" if len(found) > _NAMED else ""
    return f"rows of it were erased by order {', '.join(found[-_NAMED:])}{more}"


def _gap(order: Told) -> str:
    rows = ", ".join(f"{row.num} rows of {row.compartment}:{row.table}" for row in order.rows)
    return (
        f"erased by order {order.id} ({order.what}, {order.ts}): {rows}; they are in no figure, and"
        " earlier versions of these tables cannot be read again"
    )
