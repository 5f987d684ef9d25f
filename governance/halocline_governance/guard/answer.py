"""A descriptor carried out by the guard: planned, then read.

A column that is only asked about in a condition is planned, and so decided and recorded, like one
that is handed over; the rows come without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.errors import Refused
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.guard.guard import Guard
from halocline_governance.guard.plan import Plan
from halocline_governance.guard.watch import Watch
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Answer:
    """What one caller gets to one question."""

    guard: Guard
    asked: Descriptor
    plan: Plan

    @classmethod
    def of(cls, guard: Guard, who: Principal, purpose: Purpose, asked: Descriptor) -> Answer:
        """Decided and recorded; nothing is read yet.

        Args:
            guard: reads the lake.
            who: the caller.
            purpose: why, where the descriptor does not say.
            asked: the question.

        Raises:
            As `Guard.plan`.
        """
        wanted = asked.columns
        if wanted is not None:
            wanted = tuple(dict.fromkeys([*wanted, *(one.column for one in asked.where)]))
        plan = guard.plan(who, asked.purpose or purpose, asked.table, wanted, asked.version)
        return cls(guard, asked, plan)

    @property
    def schema(self) -> pa.Schema:
        """What the rows are handed over as."""
        import pyarrow as pa

        return pa.schema([self.plan.schema.field(name) for name in self._shown()])

    def reader(self, most: int | None = None, watch: Watch | None = None) -> pa.RecordBatchReader:
        """The rows as a stream, `most` of them at most, until `watch` ends it.

        Raises:
            As `Guard.reader`.
        """
        limits = [limit for limit in (self.asked.limit, most) if limit is not None]
        rows = self.guard.reader(self.plan, self.asked.where, min(limits, default=None), watch)
        shown = self._shown()
        return rows if shown == self.plan.columns else _only(rows, shown)

    def _shown(self) -> tuple[str, ...]:
        asked = self.asked.columns
        if asked is None:
            return self.plan.columns
        shown = tuple(name for name in self.plan.columns if name in asked)
        if not shown:
            raise Refused("none of these columns can be read")
        return shown


def _only(rows: pa.RecordBatchReader, names: tuple[str, ...]) -> pa.RecordBatchReader:
    import pyarrow as pa

    schema = pa.schema([rows.schema.field(name) for name in names])

    def narrowed() -> Iterator[pa.RecordBatch]:
        try:
            for batch in rows:
                yield batch.select(list(names))
        finally:
            rows.close()

    return pa.RecordBatchReader.from_batches(schema, narrowed())


def listed(guard: Guard, who: Principal, purpose: Purpose) -> list[dict[str, Any]]:
    """What somebody may read: `{table, compartment, version, columns, touches}` each, the version
    only where the purpose lets them know it; `touches` are tenants whose competitors are out of
    reach from the first read on. Nothing else is there to be told of.

    Raises:
        PolicyUnavailable: a question has no answer, so there is no list.
    """
    found: list[dict[str, Any]] = []
    for schema in tables.TABLES.values():
        if not schema.is_governed:
            continue
        found += [
            {
                "table": schema.name,
                "compartment": grant.compartment,
                "version": grant.told_version,
                "columns": list(grant.columns),
                "touches": list(grant.decision.obligations.get("would_touch", [])),
            }
            for grant in guard.listed(who, purpose, schema.name)
        ]
    return found
