"""`halocline lake`: governed tables, read as somebody."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from halocline_governance.principal import Purpose
from halocline_infra.commands import lake_serve
from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from halocline_governance.guard.descriptor import Descriptor

app = typer.Typer(
    help="List, describe, sample, read, export and serve governed tables.", no_args_is_help=True
)
app.command("serve")(lake_serve.run)

PurposeOption = Annotated[Purpose, typer.Option(help="Why; part of the decision.")]
TableName = Annotated[str, typer.Argument(help="schema.table, or compartment:schema.table.")]
Columns = Annotated[str | None, typer.Option(help="Comma-separated column names.")]
Version = Annotated[int | None, typer.Option(help="A pinned version; name one compartment.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="'column operator value'; give it again for each condition, all must hold."),
]
Limit = Annotated[int | None, typer.Option(min=0, help="Rows at most.")]


@app.command("list")
def list_tables(
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    as_json: JsonFlag = False,
) -> None:
    """The tables you may read, and where; the names of their columns with --json. What you may not
    read is not listed.

    Example:

        halocline lake list --token ana.jwt
    """
    from halocline_infra.commands.lake_door import open_door
    from halocline_infra.environment import from_env

    with open_door(from_env(), token) as door:
        found = door.tables(purpose)
    if as_json:
        print_json(found)
    else:
        names = ("table", "compartment", "version", "columns", "touches")
        # Their names, the same for each compartment, would crowd the rest out.
        counted = [{**one, "columns": len(one["columns"])} for one in found]
        rows = [[_shown(one[name]) for name in names] for one in counted]
        print_table("Readable tables", names, rows)


@app.command("describe")
def describe(
    table: TableName,
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    as_json: JsonFlag = False,
) -> None:
    """A table's columns and types, from the published schema; nothing about its rows. From a
    guard server (HALOCLINE_GUARD): the columns that you may read, as you would read them.

    Example:

        halocline lake describe curated.documents
    """
    from halocline_governance import tables
    from halocline_infra.commands.lake_door import described
    from halocline_infra.environment import from_env

    columns = tables.table(table.rpartition(":")[2]).columns
    environment = from_env()
    if environment.guard:
        columns = described(environment, token, table, purpose)
    if as_json:
        print_json([{"name": c.name, "type": c.type, "null": c.nullable} for c in columns])
    else:
        print_table(table, ("column", "type"), [(c.name, c.type) for c in columns])


@app.command("sample")
def sample(
    table: TableName,
    count: Annotated[int, typer.Option("-n", min=1, max=10**9, help="How many rows.")] = 5,
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    as_json: JsonFlag = False,
) -> None:
    """A few rows you may read.

    Example:

        halocline lake sample curated.documents -n 3 --token ana.jwt
    """
    from halocline_governance.guard.descriptor import Descriptor
    from halocline_infra.commands.lake_door import open_door
    from halocline_infra.environment import from_env

    with open_door(from_env(), token) as door:
        reader = door.read(Descriptor(table, purpose=purpose, limit=count))
        rows = [row for batch in reader for row in batch.to_pylist()]
    if as_json:
        print_json(rows)
    else:
        for number, row in enumerate(rows, start=1):
            cells = [(name, str(value)[:300]) for name, value in row.items()]
            print_table(f"{table}, row {number}", ("column", "value"), cells)


@app.command("read")
def read(  # noqa: PLR0913 - the command's options are its interface
    table: TableName,
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    columns: Columns = None,
    version: Version = None,
    where: Where = None,
    limit: Limit = None,
    output: Annotated[
        str, typer.Option("--format", help="json (one row a line) or arrow.")
    ] = "json",
) -> None:
    """Every row you may read, to standard output; what is held back is not counted. A read that
    is cut short exits with 1 and leaves a torn end, which no reader takes for the whole.

    Example:

        halocline lake read buy:curated.documents --columns source,text --token ana.jwt

        halocline lake read curated.documents --where 'num_pii = 0' --limit 10 --token ana.jwt
    """
    from halocline_governance.errors import Refused
    from halocline_infra.commands import lake_output
    from halocline_infra.commands.lake_door import open_door
    from halocline_infra.environment import from_env

    if output not in lake_output.PIPED:
        raise Refused("--format is json or arrow")
    asked = _asked(table, purpose, columns, version, where, limit)
    with open_door(from_env(), token) as door:
        shown = not sys.stdout.isatty()
        lake_output.to_pipe(output, door.read(asked), sys.stdout.buffer, shown=shown)


@app.command("export")
def export(  # noqa: PLR0913 - the command's options are its interface
    table: TableName,
    to: Annotated[
        Path, typer.Option(metavar="FILE", help="Ends in .parquet, .arrow, .csv or .jsonl.")
    ],
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    columns: Columns = None,
    version: Version = None,
    where: Where = None,
    limit: Limit = None,
) -> None:
    """Every row you may read, to a file of yours alone; it is there only when it is whole.

    One that is killed (kill -9) leaves a draft, `.FILE.PID`; the next export to FILE removes it.

    Example:

        halocline lake export buy:curated.documents --to mine.parquet --token ana.jwt
    """
    from halocline_infra.commands import lake_output
    from halocline_infra.commands.lake_door import open_door
    from halocline_infra.environment import from_env

    asked = _asked(table, purpose, columns, version, where, limit)
    lake_output.check(to)
    with open_door(from_env(), token) as door:
        count = lake_output.export(door.read(asked), to)
    typer.echo(f"{count} rows in {to}", err=True)


def _asked(
    table: str,
    purpose: Purpose,
    columns: str | None,
    version: int | None,
    where: list[str] | None,
    limit: int | None,
) -> Descriptor:
    from halocline_governance.guard.descriptor import Descriptor
    from halocline_infra.commands.lake_where import conditions

    names = None if columns is None else tuple(columns.split(","))
    return Descriptor(table, names, conditions(table, where or ()), version, purpose, limit)


def _shown(value: object) -> str:
    """For a table's cell: what is not told stays blank."""
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value)))
    return "" if value is None else str(value)
