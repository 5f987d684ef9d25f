"""`halocline lake`: governed tables, read as somebody."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from halocline_governance.principal import Purpose
from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    print_json,
    print_table,
    read_token,
)

app = typer.Typer(help="List, describe, sample and read governed tables.", no_args_is_help=True)

PurposeOption = Annotated[Purpose, typer.Option(help="Why; part of the decision.")]
TableName = Annotated[str, typer.Argument(help="schema.table, or compartment:schema.table.")]


@app.command("list")
def list_tables(
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    as_json: JsonFlag = False,
) -> None:
    """The tables you may read, and where. What you may not read is not listed.

    Example:

        halocline lake list --token ana.jwt
    """
    from halocline_governance import tables
    from halocline_governance.errors import Denied
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    found: list[dict[str, object]] = []
    with Platform(environment) as platform:
        principal = platform.caller(read_token(environment, token))
        for name, schema in tables.TABLES.items():
            if not schema.is_governed:
                continue
            try:
                plan = platform.guard.plan(principal, purpose, name)
            except Denied:
                continue
            for grant in plan.grants:
                found.append(
                    {
                        "table": name,
                        "compartment": grant.compartment,
                        "version": grant.version,
                        "columns": list(grant.columns),
                    }
                )
    if as_json:
        print_json(found)
    else:
        rows = [(t["table"], t["compartment"], t["version"], t["columns"]) for t in found]
        print_table("Readable tables", ("table", "compartment", "version", "columns"), rows)


@app.command("describe")
def describe(table: TableName, as_json: JsonFlag = False) -> None:
    """A table's columns and types, from the published schema; nothing about its rows.

    Example:

        halocline lake describe curated.documents
    """
    from halocline_governance import tables

    schema = tables.table(table.rpartition(":")[2])
    if as_json:
        print_json([{"name": c.name, "type": c.type, "null": c.nullable} for c in schema.columns])
    else:
        print_table(schema.name, ("column", "type"), [(c.name, c.type) for c in schema.columns])


@app.command("sample")
def sample(
    table: TableName,
    count: Annotated[int, typer.Option("-n", min=1, help="How many rows.")] = 5,
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    as_json: JsonFlag = False,
) -> None:
    """A few rows you may read.

    Example:

        halocline lake sample curated.documents -n 3 --token ana.jwt
    """
    from itertools import chain, islice

    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    with Platform(environment) as platform:
        principal = platform.caller(read_token(environment, token))
        plan = platform.guard.plan(principal, purpose, table)
        batches = platform.guard.batches(plan)
        rows = list(islice(chain.from_iterable(batch.to_pylist() for batch in batches), count))
    if as_json:
        print_json(rows)
    else:
        for number, row in enumerate(rows, start=1):
            cells = [(name, str(row[name])[:300]) for name in plan.columns]
            print_table(f"{table}, row {number}", ("column", "value"), cells)


@app.command("read")
def read(
    table: TableName,
    token: TokenFile = None,
    purpose: PurposeOption = Purpose.ANALYSIS,
    columns: Annotated[str | None, typer.Option(help="Comma-separated column names.")] = None,
    version: Annotated[
        int | None, typer.Option(help="A pinned version; name one compartment.")
    ] = None,
    output: Annotated[
        str, typer.Option("--format", help="json (one row a line) or arrow.")
    ] = "json",
) -> None:
    """Every row you may read, to standard output; what is held back is not counted.

    Example:

        halocline lake read buy:curated.documents --columns source,text --token ana.jwt
    """
    import json

    from halocline_governance.errors import Refused
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    if output not in ("json", "arrow"):
        raise Refused("--format is json or arrow")
    environment = from_env()
    with Platform(environment) as platform:
        principal = platform.caller(read_token(environment, token))
        wanted = columns.split(",") if columns else None
        plan = platform.guard.plan(principal, purpose, table, wanted, version)
        if output == "json":
            for batch in platform.guard.batches(plan):
                for row in batch.to_pylist():
                    sys.stdout.write(json.dumps(row, default=str) + "\n")
            return
        import pyarrow as pa

        rows = platform.guard.table(plan)
        with pa.ipc.new_stream(sys.stdout.buffer, rows.schema) as writer:
            writer.write_table(rows)
