"""Tables that an order must look into and that are not here: nobody certifies what was not seen.

A folder that was moved or a mount that is away is listed by nobody, and its rows come back with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from halocline_governance.audit import written
from halocline_governance.erasure import officers
from halocline_governance.erasure.finding import OUTPUTS, TABLES
from halocline_governance.erasure.order import What
from halocline_governance.errors import Refused
from halocline_governance.lake import Lake
from halocline_governance.principal import Principal


def check(
    principal: Principal,
    lake: Lake,
    journal_dir: Path,
    what: What,
    begun: Iterable[tuple[str, str]] = (),
) -> None:
    """
    Args:
        principal: who asks; no other compartment is named to them than they are cleared for.
        what: the kind of order, which says the tables.
        begun: compartment and table of each from which the order has removed rows.

    Raises:
        Refused: a table is away.
        JournalCorrupt: a record that cannot be read.
        StorageUnavailable: a bucket did not answer.
    """
    gone = set(written.missing(lake, journal_dir)) | {at for at in begun if not lake.exists(*at)}
    ours = sorted(at for at in gone if (at[1] == OUTPUTS) == (what is What.OUTPUT))
    if told := said(principal, lake, [at for at in ours if at[1] in TABLES]):
        raise Refused(f"{told}, and rows that must go may lie there; then try again")


def said(principal: Principal, lake: Lake, gone: Iterable[tuple[str, str]]) -> str:
    """How many tables are away, and which, as far as the caller is cleared; empty for none."""
    tables = sorted(gone)
    seen = [at for at in tables if officers.is_cleared(principal, lake, {(at[0], "")})]
    names = f" ({', '.join(':'.join(at) for at in seen)})" if seen else ""
    return (
        f"{len(tables)} tables that the journal shows to have been here are not here{names}:"
        " put back their folders, mounts or credentials first"
        if tables
        else ""
    )


def everywhere(lake: Lake, journal_dir: Path) -> list[tuple[str, str]]:
    """Every table of documents or answers that is away."""
    return [at for at in written.missing(lake, journal_dir) if at[1] in TABLES]
