"""Erasures among what lineage tells: a row that is gone by order is told with its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halocline_governance.erasure.told import Told
    from halocline_governance.lineage.sight import Sight
    from halocline_governance.lineage.trace import Trace
    from halocline_infra.platform import Platform

_OUTPUTS = "serving.outputs"


def orders(platform: Platform) -> list[Told]:
    """Every erasure that is done, as the journal tells."""
    from halocline_governance.audit.question import Question
    from halocline_governance.audit.search import newest
    from halocline_governance.erasure import told
    from halocline_governance.records import Kind

    asked = Question(kind=Kind.ERASE.value)
    found = newest(platform.environment.journal, asked)
    return told.of((one.log, one.seq, one.event) for one in found)


def gaps(platform: Platform, sight: Sight, found: Trace) -> list[str]:
    """Which orders removed rows of the dataset versions and tables in a trace after they were
    recorded, and answers of its models; nobody knows what labels those had, so it is told to who
    may see every label that lies there."""
    tables = dict(_tables(platform, found))
    if found.nodes.keys() & {"outputs"} or found.of("model"):
        tables |= {(place, _OUTPUTS): "" for place in platform.lake.compartments()}
    return [
        f"order {order.id} erased {one.num} rows of {one.compartment}:{one.table} on {order.ts}:"
        f" halocline erase certificate {order.id}"
        for order in orders(platform)
        for one in order.rows
        if sight.reads_all(one.compartment)
        and tables.get((one.compartment, one.table), order.ts) < order.ts
    ]


def of_output(platform: Platform, request_id: str) -> str | None:
    """That an answer was erased, and by which order; None where it was not by its own."""
    for order in orders(platform):
        if order.what == "output" and request_id in order.names:
            return (
                f"output:{request_id} was erased on {order.ts} by order {order.id}:"
                f" halocline erase certificate {order.id}"
            )
    return None


def _tables(platform: Platform, found: Trace) -> Iterator[tuple[tuple[str, str], str]]:
    """Compartment and table of what is in a trace, and since when it is concerned: the earliest
    record of each."""
    rows = platform.lineage.rows("lineage.dataset_version")
    then = {f"dataset:{row['dsv_id']}": str(row["ts"]) for row in rows}
    told = [(str(one.facts["table"]), then.get(one.id, "")) for one in found.of("dataset")]
    told += [(one.name, "") for one in found.of("rows")]
    told += [(one.name.rpartition("/")[0], "") for one in found.of("row")]
    for place, ts in sorted(told, reverse=True):  # the earliest last: it stays
        compartment, _, table = place.partition(":")
        yield (compartment, table), ts
