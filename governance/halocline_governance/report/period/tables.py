"""Reads the tables of a period report as the officer, and says what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halocline_governance.erasure.told import Told
from halocline_governance.errors import Denied, Refused, StorageUnavailable, TableMissing
from halocline_governance.guard.ask import touches
from halocline_governance.label import SYSTEM
from halocline_governance.lineage.lineage import TABLES as LINEAGE
from halocline_governance.principal import Principal, Purpose
from halocline_governance.report.period import erased
from halocline_governance.report.period.drawn import Drawing, Figure, draw, labels_sha256
from halocline_governance.report.period.sums import ALERTS, COLUMNS, CURATED, OUTPUTS, Outputs

if TYPE_CHECKING:
    from halocline_governance.guard import Guard
    from halocline_governance.guard.plan import Plan
    from halocline_governance.lake import Lake
    from halocline_governance.lineage import Lineage

GUARDED = (OUTPUTS, CURATED, ALERTS)
UNREADABLE = (Denied, Refused, TableMissing, StorageUnavailable)
"""How a table says that it cannot be read."""

Pins = Mapping[str, int]


@dataclass(slots=True)
class Tables:
    """Every figure a report draws, read once.

    Args:
        guard: reads as the officer.
        lake: says which compartments hold a table.
        lineage: its tables lie in the system compartment and hold no row's text.
        officer: who asks.
        in_period: whether a time lies in the period.
        pins: versions by `compartment:table`, to read those again and no others.
        orders: the orders to erase that were done since, asked for when a pinned version is gone.
    """

    guard: Guard
    lake: Lake
    lineage: Lineage
    officer: Principal
    in_period: Callable[[str], bool]
    pins: Pins | None = None
    orders: Callable[[], Sequence[Told]] = tuple
    drawings: dict[str, Drawing] = field(default_factory=dict[str, Drawing])
    gaps: list[str] = field(default_factory=list[str])

    def read(self) -> list[Figure]:
        """One figure for each table and compartment, sorted.

        Raises:
            Denied: there are outputs and the officer may read none.
            Refused: a pinned version cannot be read any more.
        """
        found = [self._guarded(table, place) for table in GUARDED for place in self._places(table)]
        found += [self._system(table, version) for table, version in self._versions().items()]
        return sorted((one for one in found if one), key=lambda figure: figure.name)

    def lineage_then(self) -> Lineage:
        """Lineage at the versions that were read."""
        return self.lineage.at(self._versions())

    def outputs(self) -> dict[str, Mapping[str, bytes]]:
        """The sketches of the outputs that were read, by the name of their figure."""
        found = {name: drawing.sums for name, drawing in self.drawings.items()}
        return {name: sums.requests for name, sums in found.items() if isinstance(sums, Outputs)}

    def plan(self, name: str, columns: Sequence[str], version: int | None) -> Plan:
        """A read of `compartment:table` as the officer.

        Raises:
            Denied, TableMissing, StorageUnavailable: it cannot be read.
            Refused: nor can it in clear.
        """
        plan = self.guard.plan(self.officer, Purpose.AUDIT, name, columns, version=version)
        if missing := set(columns) - (set(plan.columns) - set(plan.transforms)):
            raise Refused(f"columns not granted in clear: {', '.join(sorted(missing))}")
        return plan

    def unreadable(self, name: str, version: int | None, error: Exception, about: str) -> None:
        """Note a gap for what cannot be read.

        Raises:
            Refused: it is of an earlier report, which cannot be built again without it.
        """
        why = "denied" if isinstance(error, Denied) else str(error)
        if self.pins is None:
            self.gaps.append(f"{about}: {why}")
            return
        compartment, _, table = name.rpartition(":")
        if gone := erased.by(self.orders(), compartment, table):
            why = f"{gone} since, so this version is not kept ({why})"
        raise Refused(f"{name} cannot be read again at version {version}: {why}") from error

    def _places(self, table: str) -> list[str]:
        """The compartments of a table to read; what is left out is a gap."""
        if self.pins is not None:
            names = [name.rpartition(":") for name in sorted(self.pins)]
            return [compartment for compartment, _, of in names if of == table]
        there = set(self.lake.holding(table)) - {SYSTEM}
        if not there:
            return []
        grants = self.guard.listed(self.officer, Purpose.AUDIT, table)
        if not grants and table == OUTPUTS:
            self.guard.plan(self.officer, Purpose.AUDIT, table)  # denied, and that is recorded
        first = {grant.compartment for grant in grants if touches(grant.decision)}
        if first:
            self.gaps.append(
                f"{table}: not read in {len(first)} compartments, where this would have been the"
                " officer's first touch of a conflict class"
            )
        readable = {grant.compartment for grant in grants} - first
        if hidden := len(there - readable - first):
            self.gaps.append(
                f"{table}: {hidden} compartments hold it that the officer may not read"
            )
        return sorted(readable & there)

    def _guarded(self, table: str, compartment: str) -> Figure | None:
        name = f"{compartment}:{table}"
        version = None if self.pins is None else self.pins[name]
        try:
            plan = self.plan(name, COLUMNS[table], version)
            drawing = draw(table, self.in_period)
            for batch in self.guard.batches(plan):
                drawing.take(batch.select(sorted(COLUMNS[table])).to_pylist())
        except UNREADABLE as error:
            self.unreadable(name, version, error, name)
            return None
        grant = plan.grants[0]
        return self._figure(name, grant.version, drawing, tuple(grant.label_ids))

    def _versions(self) -> dict[str, int]:
        if self.pins is None:
            known = self.lineage.versions()
            return {table: known[table] for table in LINEAGE if table in known}
        prefix = f"{SYSTEM}:"
        pinned = {name.removeprefix(prefix): version for name, version in self.pins.items()}
        return {table: pinned[table] for table in LINEAGE if table in pinned}

    def _system(self, table: str, version: int) -> Figure:
        drawing = draw(table, self.in_period)
        drawing.take(self.lineage.at({table: version}).rows(table))
        return self._figure(f"{SYSTEM}:{table}", version, drawing, ())

    def _figure(
        self, name: str, version: int, drawing: Drawing, label_ids: tuple[str, ...]
    ) -> Figure:
        self.drawings[name] = drawing
        compartment, _, table = name.rpartition(":")
        return Figure(
            table=table,
            compartment=compartment,
            version=version,
            columns=tuple(sorted(COLUMNS.get(table, ()))),
            num_rows=drawing.running.num_rows,
            fingerprint=drawing.running.hex(),
            labels_sha256=labels_sha256(label_ids),
            num_labels=len(label_ids),
            sums=drawing.sums.as_json(),
        )
