"""What lineage can be asked about, by name: `kind:name`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from halocline_governance import tables
from halocline_governance.errors import Refused, TableMissing
from halocline_governance.lake import check_compartment
from halocline_governance.lineage.view import ALL_TIME
from halocline_governance.records import timestamp

KINDS = {
    "output": "output:REQUEST_ID",
    "row": "row:COMPARTMENT:TABLE/ROW_UID",
    "subject": "subject:KEY",
    "source": "source:NAME",
    "licence": "licence:EXPRESSION",
    "dataset": "dataset:DSV_ID",
    "mixture": "mixture:SHA256",
    "run": "run:RUN_ID",
    "model": "model:NAME/VERSION",
    "deployment": "deployment:ENDPOINT/SINCE",
    "endpoint": "endpoint:NAME",
}
# Kinds of the graph, and kinds that choose rows by one of their columns.
OF_GRAPH = ("dataset", "mixture", "run", "model", "deployment", "endpoint")
# What answers with models: what it gave is counted in its own intervals.
ANSWERING = ("deployment", "endpoint")
OF_ROWS = ("subject", "source", "licence")


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing to ask about; `name` is what follows the colon."""

    kind: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def row(self) -> tuple[str, str, int]:
        """Compartment, table and row_uid of a row."""
        place, _, uid = self.name.rpartition("/")
        compartment, _, table = place.partition(":")
        return compartment, table, int(uid)


def parse(text: str) -> Thing:
    """
    Raises:
        Refused: it is not `kind:name` of a kind there is.
    """
    kind, colon, name = text.partition(":")
    if not colon or not name or kind not in KINDS:
        raise Refused(f"name it by its kind: {', '.join(KINDS.values())}")
    thing = Thing(kind, name)
    if kind == "row":
        try:
            compartment, table, uid = thing.row
            check_compartment(compartment)
            tables.table(table)
        except (ValueError, Refused, TableMissing):
            raise Refused("a row is row:COMPARTMENT:TABLE/ROW_UID") from None
        if not -(2**63) <= uid < 2**63:
            raise Refused("a row_uid is a whole number of 64 bits")
    if kind == "model" and not (name.rpartition("/")[0] and name.rpartition("/")[2].isdecimal()):
        raise Refused("a model is model:NAME/VERSION")
    return thing


def moment(at: str | None) -> str:
    """A moment as records have it; None is the end of time.

    Raises:
        Refused: it is not RFC 3339 with an offset.
    """
    if at is None:
        return ALL_TIME
    try:
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError
        return timestamp(when.timestamp())
    except (ValueError, OverflowError):
        raise Refused("a moment is RFC 3339 with its offset: 2026-01-31T12:00:00Z") from None


def epoch_us(at: str) -> int:
    """Microseconds since the epoch of a moment as records have it."""
    when = datetime.fromisoformat(at) - datetime(1970, 1, 1, tzinfo=UTC)
    return (when.days * 86_400 + when.seconds) * 1_000_000 + when.microseconds


def rfc3339(us: int) -> str:
    """The other way round, exact."""
    whole, part = divmod(us, 1_000_000)
    return timestamp(whole)[:-7] + f"{part:06d}Z"
