"""What was erased, as the journal tells it: for whoever must say why a row is not there any more.

Plain data of the journal alone; no lake is opened, so lineage and reports may call it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from halocline_governance.erasure.order import Placed, Standing, standings
from halocline_governance.journal import read


@dataclass(frozen=True, slots=True, order=True)
class Rows:
    """How many rows an order removed from one table of one compartment."""

    compartment: str
    table: str
    num: int


@dataclass(frozen=True, slots=True)
class Told:
    """An order that is done.

    Args:
        id: `e-` and ten hex digits.
        what: `subject`, `source` or `output`.
        names: subject keys, sources, or request ids.
        ts: when it was done first, as the journal writes times.
        rows: what it removed, by compartment and table; only where there was a row.
    """

    id: str
    what: str
    names: tuple[str, ...]
    ts: str
    rows: tuple[Rows, ...]

    def touched(self, compartment: str, table: str) -> bool:
        """Whether it removed rows of this table."""
        return any((one.compartment, one.table) == (compartment, table) for one in self.rows)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "what": self.what,
            "names": list(self.names),
            "ts": self.ts,
            "rows": [asdict(one) for one in self.rows],
        }


def told(journal_dir: Path) -> list[Told]:
    """Every order that is done, in the order of time.

    Raises:
        JournalCorrupt: a record that cannot be read.
    """
    return of(read(journal_dir))


def of(placed: Iterable[Placed]) -> list[Told]:
    """The same of events that somebody has read already, such as those of a period."""
    done = [_told(one) for one in standings(placed).values() if one.of("done")]
    return sorted(done, key=lambda one: (one.ts, one.id))


def _told(standing: Standing) -> Told:
    done, order = standing.of("done"), standing.order
    counted: dict[tuple[str, str], int] = {}
    for _, _, event in done:
        for row in event["object"]["rows"]:
            at = (row["compartment"], row["table"])
            counted[at] = max(counted.get(at, 0), row["rows"])
    rows = tuple(Rows(*at, num) for at, num in sorted(counted.items()) if num)
    return Told(order.id, order.what.value, order.names, str(done[0][2]["ts"]), rows)
