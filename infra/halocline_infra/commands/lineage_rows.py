"""The rows that something was made of, for `halocline lineage trace --rows`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import typer

from halocline_infra.commands.options import print_json, print_table

if TYPE_CHECKING:
    from halocline_governance.lineage import Impact
    from halocline_governance.lineage.questions import Questions
    from halocline_infra.commands.lineage_thing import Taken

_SHOWN = 1_000
_MADE = ("output", "endpoint", "deployment", "model", "run", "mixture", "dataset")
_CHOOSES = ("subject", "source", "licence")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that something was made of, or that are of a source, a licence or a subject, as far
    as who asks may see them: `asks` answers no more."""

    asks: Questions
    taken: Taken
    at: str | None

    def show(self, *, every: bool, as_json: bool) -> None:
        """Counts and the first, or every one as a line of JSON.

        Raises:
            Refused: it is a row itself, or was not there, or is not for who asks.
        """
        if self.taken.kind in _CHOOSES:
            told = self.asks.impact(self.taken.asked, self.at)
            rows = self.asks.rows(self.taken.asked, self.at)
            if every:
                _stream_chosen(rows, told)
            else:
                _list_chosen(rows, told, as_json=as_json)
        elif every:
            _stream(self.asks, self._datasets())
        else:
            _list_first(self.asks, self._datasets(), as_json=as_json)

    def _datasets(self) -> list[str]:
        from halocline_governance.errors import Refused

        if self.taken.kind not in _MADE:
            raise Refused(
                "--rows lists what something was made of, and"
                f" {self.taken.asked} is a row: trace it without"
            )
        found = [*self.asks.reached(self.taken.asked, "dataset", forward=False, at=self.at)]
        is_one = self.taken.kind == "dataset"
        return [self.taken.asked.partition(":")[2]] if is_one else found


def _stream_chosen(rows: Iterator[tuple[str, int, bool]], told: Impact) -> None:
    for table, uid, there in rows:
        said = {"table": table, "row_uid": str(uid), "there": there}
        sys.stdout.write(json.dumps(said, sort_keys=True) + "\n")
    for gap in told.gaps:
        sys.stderr.write(f"{gap}\n")


def _list_chosen(rows: Iterator[tuple[str, int, bool]], told: Impact, *, as_json: bool) -> None:
    first = list(islice(rows, _SHOWN))
    counts = {table: {"now": now, "ever": ever} for table, (now, ever) in told.rows.items()}
    if as_json:
        some = [
            {"table": table, "row_uid": str(uid), "there": there} for table, uid, there in first
        ]
        print_json({"tables": counts, "first": some, "gaps": list(told.gaps)})
        return
    print_table(
        "Tables", ("table", "rows now", "rows ever"),
        [(table, one["now"], one["ever"]) for table, one in sorted(counts.items())],
    )  # fmt: skip
    shown = [(table, uid, "yes" if there else "no") for table, uid, there in first]
    print_table("Rows", ("table", "row_uid", "there"), shown)
    for gap in told.gaps:
        typer.echo(f"! {gap}")
    num = sum(one["ever"] for one in counts.values())
    if num > len(first):
        typer.echo(f"... {len(first):,} of {num:,} rows are shown: --all streams every one")


def _stream(asks: Questions, dsv_ids: list[str]) -> None:
    """Every row as a line of JSON, as it is read."""
    for dsv_id in dsv_ids:
        found = asks.dataset_rows([dsv_id])[0]
        where = found.version
        table = f"{where.compartment}:{where.table}"
        said = {"dataset": dsv_id, "table": table, "version": where.version}
        for uid in found:
            sys.stdout.write(json.dumps({**said, "row_uid": str(uid)}, sort_keys=True) + "\n")
        for gap in found.gaps:
            sys.stderr.write(f"{table} version {where.version}: {gap}\n")


def _list_first(asks: Questions, dsv_ids: list[str], *, as_json: bool) -> None:
    """Exact counts of every dataset version, and the first rows of all."""
    told: list[dict[str, Any]] = []
    left = _SHOWN
    for dsv_id in dsv_ids:
        found = asks.dataset_rows([dsv_id])[0]
        where = found.version
        one: dict[str, Any] = {**found.as_json(), "table": f"{where.compartment}:{where.table}",
               "version": where.version}  # fmt: skip
        one["first"] = one["first"][:left]
        left -= len(one["first"])
        told.append(one)
    num_rows = sum(one["num_rows"] for one in told)
    if as_json:
        print_json({"num_rows": num_rows, "shown": _SHOWN - left, "datasets": told})
        return
    print_table(
        "Dataset versions", ("id", "table", "version", "rows", "sources", "licences"),
        [(one["dsv_id"], one["table"], one["version"], _number(one), _counts(one["sources"]),
          _counts(one["licences"])) for one in told],
    )  # fmt: skip
    rows = [(one["table"], one["version"], uid) for one in told for uid in one["first"]]
    print_table("Rows", ("table", "version", "row_uid"), rows)
    for one in told:
        for gap in one["gaps"]:
            typer.echo(f"! {one['table']} version {one['version']}: {gap}")
    if num_rows > _SHOWN - left:
        typer.echo(f"... {_SHOWN - left:,} of {num_rows:,} rows are shown: --all streams every one")


def _number(one: dict[str, Any]) -> str:
    recorded, readable = one["num_rows"], one["num_readable"]
    return str(recorded) + (f", {readable} can still be read" if readable != recorded else "")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name or 'none'} {number:,}" for name, number in sorted(counts.items()))
