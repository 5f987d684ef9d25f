"""A period report as a document to file: title page, contents, numbered pages, tables that wrap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from halocline_governance.report.period.chart import Chart, chart
from halocline_governance.report.period.font import font
from halocline_governance.report.period.html import (
    heading,
    known_by,
    missing,
    right,
    shown,
    span,
    summary,
    titles,
)
from halocline_governance.report.period.sheet import Sheet

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_WIDE = 10
_ON_RECORD = "on record, shown by: halocline audit show"
_NEVER = (
    "What no such report shows: what was done outside the platform; that the person behind a"
    " subject is the one the token names; whether the journal lost its newest records together with"
    " the head over them, which a head kept elsewhere shows."
)
Row = Mapping[str, Any]


def paper(content: Mapping[str, Any]) -> bytes:
    """The PDF. The same content gives the same bytes, with the same fonts and reportlab."""
    sheet = Sheet(font())
    names = titles(content)
    story = [*_front(sheet, content), *sheet.contents()]
    story += [*sheet.section(names["evidence"]), *_evidence(sheet, content, names)]
    for section in content["sections"]:
        story += sheet.section(names[section["id"]])
        story += [sheet.soft(section["says"])]
        for told in section["sums"]:
            story += _sum(sheet, told, content["scope"])
        for told in section["lists"]:
            story += _list(sheet, told)
        if section["id"] == "incidents":
            story += _observed(sheet, content)
    story += [*sheet.section(names["figures"]), *_figures(sheet, content["figures"])]
    story += [*sheet.section(names["journal"]), *_journal(sheet, content["journal"], content)]
    story += [*sheet.section(names["gaps"]), *_gaps(sheet, content)]
    return sheet.build(story, f"Compliance report {span(content)}")


def _front(sheet: Sheet, content: Mapping[str, Any]) -> list[Flowable]:
    scope, journal = content["scope"], content["journal"]
    observed = journal["observed"]
    who = scope["asked_by"]
    facts = [
        ("Period", span(content)),
        ("Duty", scope["duty_title"]),
        ("Asked for by", f"{who['subject']} ({', '.join(who['roles'])})"),
        ("Installation, by the key that signs its journal", known_by(content)),
        ("Logs", ", ".join(content["installation"]["logs"])),
        (
            "The journal, when this was built",
            "verified" if observed["verified"] else "NOT verified: see the incidents",
        ),
        ("Flags of lineage's checks", str(content["flags"]["total"])),
    ]
    first, more = missing(content)
    num = len(first) + more
    gaps = [f"and {more:,} more, in the last section"] if more else []
    repeat = (
        "halocline report verify REPORT.json --key journal.pub --html REPORT.html --pdf REPORT.pdf"
    )
    return [
        *sheet.title("Compliance report", f"{scope['duty_title']}. {span(content)}"),
        sheet.facts(facts),
        sheet.tiles(summary(content)),
        sheet.heading(f"What could not be shown: {num:,}"),
        *sheet.marked([*first, *gaps] or ["Nothing was left out that this report knows of."]),
        sheet.heading("To check this without the platform"),
        sheet.plain(
            "The JSON file beside this one holds everything that is said here, the records it is"
            " from and the proofs that they stand in the journal. With it and the journal's public"
            " key:"
        ),
        sheet.code(repeat),
        sheet.soft(content["caution"]),
        sheet.soft(
            "Each row names its place in the journal as log/record, and the id by which"
            " `halocline audit show ID` shows it. Below each sum stands what counts it again."
        ),
    ]


def _evidence(sheet: Sheet, content: Mapping[str, Any], names: Mapping[str, str]) -> list[Flowable]:
    rows = [
        [
            one["article"],
            one["asks"],
            "; ".join(names[name] for name in one["sections"]),
            one["not_here"],
        ]
        for one in content["evidence"]
    ]
    columns = ["Text", "What it asks for, in short", "Evidence here", "Not in this report"]
    return [sheet.table(columns, rows)]


def _sum(sheet: Sheet, told: Mapping[str, Any], scope: Mapping[str, Any]) -> list[Flowable]:
    columns: list[str] = told["columns"]
    drawn: Chart | None = chart(told, scope) if told["rows"] else None
    made: list[Flowable] = [sheet.heading(told["title"], drawn.height if drawn else 0)]
    if not told["rows"]:
        return [*made, sheet.soft(f"None in this period. {_again(told)}")]
    if drawn:
        made.append(sheet.drawing(drawn))
    if told["chart"] != "stack":
        rows = [[shown(row[name]) for name in columns] for row in told["rows"]]
        made.append(sheet.table([heading(n) for n in columns], rows, _numbers(told)))
    return [*made, sheet.soft(_again(told))]


def _again(told: Mapping[str, Any]) -> str:
    """Where a sum is from, and the command that counts it again."""
    if told["source"] == "journal":
        return "From the journal; counted again by: halocline report verify FILE --journal DIR"
    return f"From {told['source']}; drawn again by: halocline report verify FILE --lake"


def _list(sheet: Sheet, told: Mapping[str, Any]) -> list[Flowable]:
    columns: list[str] = told["columns"]
    rows: Sequence[Row] = told["rows"]
    total = told["total"]
    count = f"{len(rows):,} of {total:,} shown" if total > len(rows) else f"{total:,}"
    made: list[Flowable] = [sheet.heading(f"{told['title']}: {count}")]
    if not rows:
        return [*made, sheet.soft("None in this period.")]
    if len(columns) > _WIDE:
        for row in rows:
            facts = [(heading(name), shown(row[name])) for name in columns]
            made.append(sheet.facts([*facts, (_ON_RECORD, _places(row))]))
        return made
    cells = [[*(shown(row[name]) for name in columns), _places(row)] for row in rows]
    names = [*(heading(name) for name in columns), _ON_RECORD]
    return [*made, sheet.table(names, cells, _numbers(told))]


def _observed(sheet: Sheet, content: Mapping[str, Any]) -> list[Flowable]:
    problems = [
        f"{one['place']}: {one['what']}" for one in content["journal"]["observed"]["problems"]
    ]
    flags = [
        "; ".join([f"{one['about']}: {one['what']}", *one["shown_by"]])
        for one in content["flags"]["rows"]
    ]
    made: list[Flowable] = [sheet.heading("Problems of the journal")]
    made += [
        sheet.plain(text)
        for text in problems or ["None found when this was built (halocline audit verify)."]
    ]
    made += [sheet.heading(f"Flags of lineage's checks: {content['flags']['total']:,}")]
    return [*made, *(sheet.plain(text) for text in flags or ["None (halocline lineage check)."])]


def _figures(sheet: Sheet, figures: Iterable[Row]) -> list[Flowable]:
    rows = [
        [
            _read(one),
            shown(one["version"]),
            shown(one["num_rows"]),
            one["fingerprint"],
            _places(one),
        ]
        for one in figures
    ]
    says = (
        "Each figure is drawn from one version of a table, over the rows that the officer may read."
        " Their fingerprint was recorded in the journal before the figure was told."
    )
    if not rows:
        return [sheet.soft("No table was read.")]
    columns = ["table", "version", "rows", "fingerprint", _ON_RECORD]
    return [sheet.soft(says), sheet.table(columns, rows, (1, 2))]


def _journal(
    sheet: Sheet, journal: Mapping[str, Any], content: Mapping[str, Any]
) -> list[Flowable]:
    made: list[Flowable] = [
        sheet.soft(
            "Statements are about the records under these signed heads. Whoever holds an older"
            " head, or a copy of the journal, can tell whether records were removed since:"
            " halocline report verify FILE --journal DIR"
        ),
        sheet.table(
            ["log", "records", "root"],
            [[one["log"], shown(one["size"]), one["root"]] for one in journal["heads"]],
            numbers=(1,),
        ),
    ]
    for told in journal["sums"]:
        made += _sum(sheet, told, content["scope"])
    for told in journal["lists"]:
        made += _list(sheet, told)
    return made


def _gaps(sheet: Sheet, content: Mapping[str, Any]) -> list[Flowable]:
    gaps = [*content["gaps"], *(f"{one}." for one in content["limits"])]
    return [
        *sheet.marked(gaps or ["Nothing was left out that this report knows of."]),
        sheet.soft(_NEVER),
    ]


def _read(figure: Row) -> str:
    """Which rows were read."""
    texts = ", texts" if "residue" in figure else ""
    of = f" of {figure['residue']['dsv_id']}" if texts and figure["residue"]["dsv_id"] else ""
    return f"{figure['compartment']}:{figure['table']}{texts}{of}"


def _places(row: Row) -> str:
    """Where a row stands, and the ids that show it."""
    return "; ".join(
        f"{one['log']}/{one['seq']} {one['check'].rpartition(' ')[2]}" for one in row["proofs"]
    )


def _numbers(told: Mapping[str, Any]) -> tuple[int, ...]:
    columns: list[str] = told["columns"]
    return tuple(columns.index(name) for name in right(told))
