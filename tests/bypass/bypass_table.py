"""Every attack by number, and what becomes of it in each mode. The threat model shows this table;
the tests hold both to what is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODES = ("bare", "library", "server")
VERDICTS = {"b": "blocked", "o": "open", "r": "residual"}


@dataclass(frozen=True, slots=True)
class Attack:
    """`verdicts` has a letter for each of MODES."""

    name: str
    verdicts: str
    why: str

    def verdict(self, mode: str) -> str:
        return VERDICTS[self.verdicts[MODES.index(mode)]]


# 1 to 22 are the published ways around row filters on Spark; the rest are ours.
ATTACKS: dict[int, Attack] = {
    1: Attack(
        "read the table's folder as Parquet",
        "oob",
        "who holds the files reads them; users of the server do not hold them",
    ),
    2: Attack(
        "SQL on files: delta.`PATH`, parquet.`PATH`",
        "oob",
        "the server takes table names of the published schema, never a path",
    ),
    3: Attack(
        "declare a table or view over the folder, runSQLOnFiles off",
        "oob",
        "the server takes one SELECT and no statement that declares anything",
    ),
    4: Attack(
        "row index, file names, `_metadata`: gaps between rows, places of files",
        "oob",
        "no such column is granted; a Spark frame still tells its files' names",
    ),
    5: Attack(
        "EXPLAIN: the filter's literals and the path",
        "oob",
        "label ids are no secret, but the path is shown; the server explains nothing",
    ),
    6: Attack(
        "a UDF that runs before the row filter",
        "obb",
        "the filter is native, innermost on the scan; the server runs no function",
    ),
    7: Attack(
        "a predicate that runs before the row filter and fails on a hidden value",
        "obb",
        "filter innermost; the server's comparisons cannot fail on a value",
    ),
    8: Attack(
        "column statistics in the files' footers",
        "oob",
        "least and greatest values stand in the files; the server hands out none",
    ),
    9: Attack(
        "scan metrics: rows read less rows given",
        "oob",
        "Spark counts what it scans; the server tells no count at all",
    ),
    10: Attack("count(*) answered from the log", "bbb", "a filter in the plan rules it out"),
    11: Attack("the Delta log: statistics, paths, predicates", "oob", "lies with the files"),
    12: Attack(
        "an old version, RESTORE",
        "obb",
        "today's policy on the labels stored then; by the files it is as 1",
    ),
    13: Attack(
        "the change feed: images of changed and deleted rows",
        "obb",
        "the guard reads no feed; by the files it is as 1",
    ),
    14: Attack(
        "DELETE, UPDATE, MERGE: how many rows were hit",
        "obb",
        "a granted frame is of one version, which cannot be written; the server only reads",
    ),
    15: Attack("TRANSFORM ... USING a shell script", "oob", "a job may run what it likes"),
    16: Attack(
        "SET and RESET: switch off what enforces",
        "bbb",
        "the filter is part of the plan, not a rule; the server has no settings",
    ),
    17: Attack(
        "another principal's view, plan or ticket",
        "oob",
        "a plan serves whoever holds it; a ticket serves its own token only",
    ),
    18: Attack(
        "what another principal cached",
        "obb",
        "another's plan has another filter and shares no cache; the server keeps no answers",
    ),
    19: Attack(
        "a function that runs while the query is planned",
        "oob",
        "Spark folds `java_method`; the server knows no function",
    ),
    20: Attack(
        "py4j, the JVM, code in a request",
        "oob",
        "a job has a JVM; the server reads JSON and a SELECT, and unpickles nothing",
    ),
    21: Attack(
        "infer from many counts over allowed rows",
        "rrr",
        "nothing about hidden rows follows: 0 bits, as measured below",
    ),
    22: Attack(
        "train on allowed rows and take the weights away",
        "rrr",
        "the label goes with the run and the model; the leak suite bounds what comes out",
    ),
    23: Attack("delta-rs on the path", "oob", "as 1"),
    24: Attack("DuckDB over the Parquet files", "oob", "as 1"),
    25: Attack("SHALLOW CLONE into one's own folder", "oob", "as 1: a clone needs the files"),
    26: Attack('a source without a catalogue: `format("delta").load("PATH@v0")`', "oob", "as 1"),
    27: Attack(
        "UNION, CTE, subquery, join around the view",
        "obb",
        "over granted rows they are harmless; the server takes one table",
    ),
    28: Attack(
        "time travel by timestamp",
        "obb",
        "the guard pins by number only, and filters as in 12; by the files it is as 1",
    ),
    29: Attack("files of deleted rows before VACUUM", "oob", "as 1"),
    30: Attack(
        "edit a label's file to a lower label",
        "obb",
        "a label is named by its hash: an edited one is none, its rows unreadable",
    ),
    31: Attack("put a link to a lower label in its place", "obb", "links are not followed; as 30"),
    32: Attack(
        "rows with an unknown, empty or no label, appended by hand",
        "obb",
        "the filter lists what is granted, so they are never read",
    ),
    33: Attack(
        "link one compartment's folders into another",
        "obb",
        "a label of another side is not readable in this compartment",
    ),
    34: Attack(
        "`../sell` and other spellings of a compartment", "obb", "a closed alphabet of names"
    ),
    35: Attack(
        "column names: case, quotes, fields, look-alikes, `_metadata`, `*`",
        "bbb",
        "names are compared exactly with the published schema",
    ),
    36: Attack(
        "quotes, comments and stacked statements in values",
        "obb",
        "values are typed literals; a statement is taken apart node by node",
    ),
    37: Attack(
        "a cast error that quotes a hidden value",
        "obb",
        "as 7; the server's errors are closed codes",
    ),
    38: Attack("limits, offsets, positions and aggregates", "bbb", "all after the filter"),
    39: Attack(
        "row counts of fragments, sizes of batches, metadata of the stream",
        "oob",
        "batches are cut evenly after the filter; totals are not told",
    ),
    40: Attack(
        "read on with what was granted before a revocation",
        "oob",
        "a plan is a decision already taken; a ticket is decided when it is redeemed",
    ),
    41: Attack(
        "a forged or pickled plan, a forged ticket, extra keys",
        "oob",
        "Python checks nothing inside a process; tickets lie in the server",
    ),
    42: Attack(
        "a token of another issuer, key or algorithm; a claimed identity",
        "oob",
        "a job says itself who its principal is; the server believes a signature",
    ),
    43: Attack(
        "a tracker's profile and sample of the dataset",
        "obb",
        "made of granted rows; references count what was granted",
    ),
    44: Attack(
        "spilled blocks and temporary files",
        "oob",
        "Spark's scratch is its user's; the server leaves nothing for others to read",
    ),
    45: Attack("the environment and `/proc` of the process", "oob", "another user's process"),
    46: Attack(
        "keys, journal, state and policy files",
        "oob",
        "0600 in folders of 0700; a job of the same user reads them",
    ),
    47: Attack("memory of the process, ptrace", "oob", "another user's process"),
    48: Attack(
        "replace the policy or a decision in place",
        "oob",
        "code in a process owns it; the server's files are not the attacker's to write",
    ),
    49: Attack(
        "compare or sort by a column that is not granted",
        "obb",
        "conditions and frames know granted, unmasked columns only",
    ),
    50: Attack(
        "see from version numbers that hidden rows were written",
        "oob",
        "versions are told, and pinned, for purposes that need them only",
    ),
    51: Attack("tell a hidden table from a missing one", "obb", "one answer for both"),
}


def page() -> str:
    """The table as the threat model shows it."""
    rows = ["| # | attack | bare | library | server | why |", "| --- " * 6 + "|"]
    for number, one in ATTACKS.items():
        cells = [str(number), one.name, *map(one.verdict, MODES), one.why]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    document = Path(__file__).parents[2] / "docs" / "threat-model.md"
    text = document.read_text(encoding="utf-8")
    head, rest = text.split("| # | attack |", 1)
    tail = rest.split("<!-- end of table -->", 1)[1]
    document.write_text(f"{head}{page()}<!-- end of table -->{tail}", encoding="utf-8")
