"""What a report says of outputs beside their sums: rows that are not what the journal was told of
them, and answers or rows that have no counterpart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from halocline_governance.erasure.order import What
from halocline_governance.erasure.told import Told
from halocline_governance.report.period.held import Held
from halocline_governance.report.period.rows import row
from halocline_governance.report.period.sums import OUTPUTS
from halocline_governance.report.period.tally import SHOWN, place
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period

_NAMED = 10


def gaps(held: Held, answered: Iterable[str], erased: Iterable[Told]) -> list[str]:
    """What is not shown of outputs, or not as it was recorded.

    Args:
        held: the rows, once the whole journal was seen.
        answered: the requests of the period that the journal tells of.
        erased: every order that is done.
    """
    found: list[str] = []
    missing = set(answered) - set(held.rows)
    for order in erased:
        gone = missing & set(order.names) if order.what == What.OUTPUT else set[str]()
        missing -= gone
        if gone:
            found.append(f"{len(gone)} outputs were erased by order {order.id}: {_some(gone)}")
    if missing:
        found.append(
            f"{len(missing)} outputs in the journal are not among the rows shown: not readable by"
            f" the officer, not yet in the table, or removed: {_some(missing)}"
        )
    if extra := set(held.rows) - held.known:
        found.append(
            f"{len(extra)} rows of {OUTPUTS} have no generation entry in the journal:"
            f" {_some(extra)}"
        )
    if held.differing:
        told = [f"{name} ({', '.join(held.differing[name][1])})" for name in held.differing]
        found.append(
            f"{len(told)} rows of {OUTPUTS} are not what the journal recorded, see incidents:"
            f" {_some(told)}"
        )
    return found


def differing(
    held: Held,
    read: Mapping[str, Mapping[str, bytes]],
    bound: Mapping[str, Entry],
    period: Period,
) -> dict[str, Any]:
    """The list of rows that are not what was recorded, the newest.

    Args:
        held: the rows, once the whole journal was seen.
        read: the requests of each figure, by its name.
        bound: the record of each figure's fingerprint.
        period: of the report.
    """
    ordered = sorted(held.differing.items(), key=lambda item: place(item[1][0]))
    rows = [
        row(
            "differing",
            [entry, *(bound[name] for name in sorted(read) if request in read[name])],
            period,
            differs=", ".join(changed),
        )
        for request, (entry, changed) in ordered[-SHOWN:]
    ]
    return {"rows": rows, "total": len(ordered)}


def _some(names: Iterable[str]) -> str:
    ordered: Sequence[str] = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(name[:120] for name in ordered[:_NAMED]) + more
