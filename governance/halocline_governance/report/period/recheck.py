"""Makes a period report's statements again, from a copy of the journal or from the lake."""

from __future__ import annotations

from pathlib import Path

from halocline_governance.journal import Trust, verify
from halocline_governance.principal import Principal
from halocline_governance.report import away
from halocline_governance.report.period import residue
from halocline_governance.report.period.build import content_again, differences
from halocline_governance.report.period.checked import Checked
from halocline_governance.report.period.content import JOURNAL
from halocline_governance.report.period.document import Document
from halocline_governance.report.period.question import Sources
from halocline_governance.report.period.tally import Tally
from halocline_governance.report.period.told import entries


def with_journal(document: Document, trust: Trust, journal_dir: Path) -> Checked:
    """Count and list again what is from the journal, in a copy of it. The report itself has been
    verified before."""
    checked = Checked()
    notes = [*document.notes.values(), document.seal["note"]]
    found = verify(journal_dir, trust, heads=notes)
    checked.faults += [f"journal: {place}: {what}" for place, what in found.problems]
    if checked.faults:
        return checked
    checked.held.append("the journal there continues every head of the report")
    tally = Tally(document.question.period)
    for entry in entries(journal_dir, trust, document.notes):
        tally.see(entry)
    again = {**{(name, "sum"): rows for name, rows in tally.sums().items()}}
    again |= {(name, "list"): told for name, told in tally.lists().items()}
    num = 0
    for part in [*document.content["sections"], document.content["journal"]]:
        told = {(one["name"], "sum"): (one["source"], one["rows"]) for one in part["sums"]}
        for one in part["lists"]:
            both = {"rows": one["rows"], "total": one["total"]}
            told[one["name"], "list"] = (one["source"], both)
        for name, (source, value) in told.items():
            if source == JOURNAL:
                num += 1
                checked.same(name[0], value, again[name], "the journal")
    checked.held.append(f"{num} sums and lists are what the journal gives again")
    return checked


def with_lake(document: Document, sources: Sources, officer: Principal) -> Checked:
    """Make the whole content again, as this officer, from the tables at their versions and the
    journal, and compare.

    Raises:
        Denied, Refused: a table cannot be read again by this officer.
        JournalCorrupt: the journal does not begin with the records under the heads.
    """
    checked = Checked()
    others = document.detectors - {residue.detector()}
    again = content_again(sources, officer, document, measure=not others)
    for name in differences(document.content, again):
        checked.faults.append(f"made again from tables and journal, {name} differs")
    if checked.ok:
        num = len(document.content["figures"])
        checked.held.append(
            f"fingerprints and figures of {num} tables, and everything else, came out the same"
        )
    then = [gap for gap in document.content["journal"]["observed"]["gaps"] if away.tells(gap)]
    if gone := sorted({*then, *away.gaps(sources.lake, sources.journal_dir)}):
        checked.open["away"] = (
            f"tables that were away when the report was built, or are now: {'; '.join(gone)}"
        )
    if others:
        checked.open["detector"] = (
            f"personal data left, which {', '.join(sorted(others))} measured: that cannot be"
            f" recomputed with this detector, {residue.detector()}"
        )
    return checked
