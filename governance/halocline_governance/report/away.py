"""What a report says of tables that are not where the journal knows them."""

from __future__ import annotations

from pathlib import Path

from halocline_governance.audit.written import missing
from halocline_governance.errors import JournalCorrupt
from halocline_governance.lake import Lake

_AWAY = "the journal knows this table, and it is not there"


def gaps(lake: Lake, journal_dir: Path) -> list[str]:
    """One for each table that is away.

    Raises:
        StorageUnavailable: a bucket failed or refused.
    """
    try:
        return [
            f"{compartment}:{table}: {_AWAY}: nothing of it can be shown; bring back its folder or"
            " mount, and ask again"
            for compartment, table in missing(lake, journal_dir)
        ]
    except JournalCorrupt as error:
        return [f"whether a table is away that was there: the journal cannot tell: {error}"]


def tells(gap: str) -> bool:
    """Whether a gap is of a table that was away."""
    return f": {_AWAY}: " in gap
