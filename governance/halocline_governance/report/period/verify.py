"""Checks a period report from its file and the journal's public key: nothing else is trusted.

What is found then: that the content is, to the byte, what the journal recorded before it was handed
over; that each record a statement cites stands under a signed head; that the statement is what
those records say; that each table's figures belong to a recorded fingerprint; that sums agree with
each other. What that cannot show is said: whether a list is whole and a sum right needs the
journal, and what tables hold needs the lake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from halocline_governance.errors import HaloclineError
from halocline_governance.journal import Trust
from halocline_governance.records import Kind
from halocline_governance.report.period import duty as duties
from halocline_governance.report.period.carried import Carried, cited, place
from halocline_governance.report.period.checked import Checked
from halocline_governance.report.period.content import JOURNAL, SECTIONS, SUMS, drawn, limits
from halocline_governance.report.period.document import Document, digest, sha256
from halocline_governance.report.period.rows import STATEMENTS
from halocline_governance.report.period.tally import SHOWN
from halocline_governance.report.period.told import heads, installation
from halocline_governance.report.record import Entry


def verify(
    document: Document, trust: Trust, html: bytes | None = None, pdf: bytes | None = None
) -> Checked:
    """Check a report from itself and the trusted key.

    Args:
        document: the JSON file, parsed: that it is written in the one way is held already.
        trust: the journal's public key or keys, from elsewhere.
        html: the page beside it, if it is to be checked.
        pdf: the paper beside it, likewise.
    """
    checked = Checked()
    try:
        _Verifier(document, trust, checked).run({"html": html, "pdf": pdf})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        checked.faults.append(f"the report is not of the form it must be: {error!r}")
    except HaloclineError as error:
        checked.faults.append(str(error))
    return checked


class _Verifier:
    """The steps of one verification."""

    def __init__(self, document: Document, trust: Trust, checked: Checked) -> None:
        self._document = document
        self._content = document.content
        self._period = document.question.period
        self._trust = trust
        self._checked = checked
        self._carried = Carried(trust, faults=checked.faults)

    def run(self, files: Mapping[str, bytes | None]) -> None:
        self._records()
        self._attested(files)
        self._figures()
        self._statements()
        self._sums()
        self._form()
        self._left()

    def _records(self) -> None:
        """Heads, the seal, and each record under them; all that is cited is carried."""
        document, carried = self._document, self._carried
        notes = {
            log: note
            for log, note in document.notes.items()
            if carried.open(f"head of {log}", note, log)
        }
        log, note = str(document.seal["log"]), str(document.seal["note"])
        sealed = {log: note} if log in notes and carried.open("the seal", note, log) else {}
        if not self._checked.faults:
            carried.follows(document.seal, notes[log])
            told = heads(self._trust, notes)
            self._checked.same("heads", self._content["journal"]["heads"], told, "the notes")
            known = installation(self._trust, notes)
            self._checked.same("installation", self._content["installation"], known, "the notes")
        carried.take(document.records, notes)
        carried.take(document.bound, sealed)
        named = cited(self._content) | {place(document.attest)}
        held = set(carried.entries)
        for log, seq in sorted(named - held):
            self._fault(f"record {log}/{seq} is cited and not carried")
        for log, seq in sorted(held - named):
            self._fault(f"record {log}/{seq} is carried and nothing cites it")
        if not self._checked.faults and not _is_plain(document, self._trust):
            self._fault("its proofs are not written in the one way there is")
        self._held(f"{len(notes)} signed heads and the seal")
        self._held(f"{len(held)} records, each by its proof under a signed head")

    def _attested(self, files: Mapping[str, bytes | None]) -> None:
        """The content is what the journal recorded; so are the page and the paper."""
        attest = self._document.attest
        entry = self._carried.entries.get(place(attest))
        if entry is None:
            return
        told = entry.object
        if entry.kind != Kind.REPORT or told.get("content_sha256") != digest(self._content):
            self._fault("the content is not what the journal recorded when it was handed over")
        question = self._document.question
        wanted = {"from": question.period.start, "to": question.period.end}
        if (told.get("period"), told.get("duty")) != (wanted, question.duty.value):
            self._fault("the journal recorded a report about something else")
        if entry.event["subject"] != self._content["scope"]["asked_by"]["subject"]:
            self._fault("the journal recorded a report for somebody else")
        self._held(f"the content, by its hash in record {entry.log}/{entry.seq}")
        for name, data in files.items():
            if data is None:
                self._checked.open[name] = f"the {name.upper()} file: give it with --{name}"
            elif told.get(f"{name}_sha256") != sha256(data):
                self._fault(f"the {name.upper()} file is not the one that was recorded")
            else:
                self._held(f"the {name.upper()} file, by its hash in the same record")

    def _figures(self) -> None:
        """Each table's block is what its fingerprint record says."""
        for figure in self._content["figures"]:
            name = f"{figure['compartment']}:{figure['table']}"
            entries = self._entries(figure)
            told = {key: val for key, val in figure.items() if key not in ("sums", "proofs")}
            if [entry.kind for entry in entries] != [Kind.FINGERPRINT]:
                self._fault(f"{name}: no fingerprint record is cited")
            elif dict(entries[0].object) != told:
                self._fault(f"{name}: its fingerprint record says something else")
            counted = figure["sums"].get("in_period", 0)
            if counted > figure["num_rows"]:
                self._fault(f"{name}: more rows in the period than in the table")
        texts = [one for one in self._content["figures"] if "residue" in one]
        if any(one["total"] != len(texts) for one in self._lists() if one["name"] == "residue"):
            self._fault("it does not tell what was found in each table's texts")
        num = len(self._content["figures"])
        self._held(f"{num} tables, each by its recorded version, number of rows and fingerprint")

    def _statements(self) -> None:
        """Each row is what the records it cites say."""
        num = 0
        for told in self._lists():
            statement = STATEMENTS[told["name"]]
            if tuple(told["columns"]) != statement.columns or told["title"] != statement.title:
                self._fault(f"{told['name']}: its columns are not those of such a list")
            if len(told["rows"]) != min(told["total"], SHOWN):
                self._fault(f"{told['name']}: {len(told['rows'])} rows of {told['total']}")
            for at, row in enumerate(told["rows"]):
                num += 1
                self._row(f"{told['name']} row {at}", told["name"], row)
        self._held(f"{num} statements, made again from the records they cite")

    def _row(self, where: str, name: str, row: Mapping[str, Any]) -> None:
        statement, entries = STATEMENTS[name], self._entries(row)
        if not entries or len(entries) != len(row["proofs"]):
            self._fault(f"{where}: it cites no record that is carried")
            return
        if set(row) != {*statement.columns, "proofs"}:
            self._fault(f"{where}: its fields are not those of such a row")
            return
        made = statement.make(entries, self._period)
        if any(row[key] != value for key, value in made.items()):
            self._fault(f"{where}: the records it cites say something else")
        if set(statement.columns) - set(statement.drawn) - set(made):
            self._fault(f"{where}: it says more than the records it cites")
        if [entry.proof() for entry in entries] != row["proofs"]:
            self._fault(f"{where}: the command that shows it is another")
        if statement.dated and str(entries[-1].event["ts"]) not in self._period:
            self._fault(f"{where}: it is not of this period")

    def _sums(self) -> None:
        """Sums from tables follow from the figures; sums from the journal agree with each other
        and with the totals of the lists."""
        told = {one["name"]: one for part in self._parts() for one in part["sums"]}
        num = 0
        for name, one in told.items():
            if one["source"] != JOURNAL:
                num += 1
                again = drawn(name, self._content["figures"])
                self._checked.same(name, one["rows"], again, "what the figures say")
        self._held(f"{num} sums over compartments, from the figures of each")
        self._agree(told)

    def _agree(self, told: Mapping[str, Any]) -> None:
        sums = {name: one["rows"] for name, one in told.items()}
        alike = next((one for one in self._lists() if one["name"] == "denials"), None)
        decisions: set[tuple[int, int]] = set()
        for name in ("days", "gates"):
            if name in sums:
                rows = sums[name]
                decisions.add((_total(rows, "allowed"), _total(rows, "denied")))
        if len(decisions) > 1:
            self._fault("the sums of decisions by day and gate differ")
        for allowed, denied in decisions:
            if alike is not None:
                told_of = _total(alike["rows"], "times")
                is_whole = alike["total"] == len(alike["rows"])
                if told_of > denied or (is_whole and told_of != denied):
                    self._fault("the number of denials is not the sum over gates")
            kinds = {row["kind"]: row["records"] for row in sums["kinds"]}
            if kinds.get(Kind.DECISION, 0) != allowed + denied:
                self._fault("the number of decisions is not the sum over kinds of record")
        self._held("sums of decisions, denials and records agree with each other")

    def _form(self) -> None:
        """Sections, titles and the table of duties are those of this duty."""
        duty = self._document.question.duty
        ids = [section["id"] for section in self._content["sections"]]
        if ids != list(duties.sections(duty)):
            self._fault("its sections are not those of its duty")
            return
        same: list[tuple[Any, Any]] = [
            (self._content["limits"], limits(self._content["figures"])),
            (self._content["evidence"], duties.evidence(duty)),
            (self._content["caution"], duties.CAUTION),
            (self._content["scope"]["duty_title"], duties.TITLES[duty]),
        ]
        for section in self._content["sections"]:
            known = SECTIONS[section["id"]]
            shape = [[one["name"] for one in section[kind]] for kind in ("sums", "lists")]
            same.append((shape, [list(known.sums), list(known.lists)]))
            same.append(((section["title"], section["says"]), (known.title, known.says)))
            same += [
                ((one["title"], tuple(one["columns"])), (sum_.title, sum_.columns))
                for one in section["sums"]
                for sum_ in [SUMS[one["name"]]]
            ]
        if any(a != b for a, b in same):
            self._fault("what it says around its statements is not what such a report says")

    def _left(self) -> None:
        """What the file alone cannot show."""
        counted = sum(one["source"] == JOURNAL for part in self._parts() for one in part["sums"])
        self._checked.open["journal"] = (
            f"whether {counted} sums over the journal, and the totals of its lists, are right and"
            " the lists whole: give a copy of the journal with --journal DIR"
        )
        self._checked.open["lake"] = (
            f"whether the {len(self._content['figures'])} tables hold the rows with those"
            " fingerprints, and give those figures and flags: --lake, as the officer"
        )

    def _parts(self) -> Sequence[Mapping[str, Any]]:
        return [*self._content["sections"], self._content["journal"]]

    def _lists(self) -> Sequence[Mapping[str, Any]]:
        return [one for part in self._parts() for one in part["lists"]]

    def _entries(self, row: Mapping[str, Any]) -> list[Entry]:
        places = map(place, row["proofs"])
        return [self._carried.entries[one] for one in places if one in self._carried.entries]

    def _fault(self, what: str) -> None:
        self._checked.faults.append(what)

    def _held(self, what: str) -> None:
        self._checked.held.append(what)


def _is_plain(document: Document, trust: Trust) -> bool:
    """Whether the file is, to the byte, what is written from what it proves. The content is held
    by its hash, and each record and path by its proof; what is left is their order, members that
    nothing reads, and lines of the seal that are by nobody who is trusted."""
    note = document.seal["note"]
    signers = [key.line() for key in trust.signers(note)]
    return (
        set(document.attest) == {"log", "seq"}
        and set(document.seal) == {"log", "note", "path"}
        and len(set(signers)) == len(signers) == note.count("\n\u2014 ")
        and all(
            list(map(place, carried)) == sorted(map(place, carried))
            for carried in (document.records, document.bound)
        )
    )


def _total(rows: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)
