"""`halocline curate`: bring documents in and make them ready for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
)

app = typer.Typer(help="Ingest documents and curate them on Spark.", no_args_is_help=True)


@app.command("ingest")
def ingest(  # noqa: PLR0913 - the command's options are its interface
    data: Annotated[Path, typer.Argument(help="A file or a folder of documents.")],
    label: Annotated[str | None, typer.Option(help="Label: 'confidential sides=buy'.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence, as SPDX has it.")] = None,
    text: Annotated[str | None, typer.Option(help="Text column of csv, jsonl, parquet.")] = None,
    source: Annotated[str | None, typer.Option(help="What to call the source.")] = None,
    crossing: Annotated[str | None, typer.Option(help="Crossing that it lies in.")] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask the ingest gate for a source and write its documents to their compartment.

    What `halocline.yaml` beside the documents says need not be given again. Exits with 1 when the
    source is refused.

    Example:

        halocline curate ingest ./memos --label 'restricted sides=sell' \\
            --licence LicenseRef-Internal --token svc.jwt
    """
    from halocline_infra.jobs import job
    from halocline_pipelines.ingest.files import files
    from halocline_pipelines.ingest.manifest import Declared
    from halocline_pipelines.ingest.run import ingest as run

    declared = Declared(source=source, licence=licence, label=label, text=text, crossing=crossing)
    with called(token) as (platform, principal):
        read = files(data, declared)
        report = run(job(platform, principal, "ingest"), [read])
    told = {
        "accepted": dict(report.accepted),
        "present": dict(report.present),
        "refused": [{"source": r.source, "decision": r.decision_id} for r in report.refused],
        "quarantined": [
            {"source": q.source, "document": q.external_id, "reason": q.reason}
            for q in report.quarantined
        ],
    }
    if as_json:
        print_json(told)
    else:
        rows = [
            *((f"rows, {place}", count) for place, count in report.accepted.items()),
            *((f"there already, {place}", n) for place, n in report.present.items() if n),
            *(("refused", f"{r.source}: halocline audit show {r.decision_id}")
              for r in report.refused),
            *(("quarantined", f"{q.source} {q.external_id}: {q.reason}")
              for q in report.quarantined),
        ]  # fmt: skip
        print_table("Ingest", ("what", "value"), rows)
    if report.refused:
        raise typer.Exit(1)


@app.command("run")
def curate(
    compartment: Annotated[
        str, typer.Argument(help="Which compartment: public, buy, sell.acme, x.CROSSING.")
    ],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Signals, a decision for every row, deduplication and scrubbing, for what is not curated yet.

    Where the compartment is fingerprinted (`halocline checks fingerprint`), its fingerprints are
    brought up to what was added.

    Example:

        halocline curate run buy --token svc.jwt
    """
    from dataclasses import asdict

    from halocline_infra import checks
    from halocline_infra.jobs import job
    from halocline_pipelines.curate import curate as run
    from halocline_pipelines.recipes.curation import english

    with called(token) as (platform, principal):
        report = run(job(platform, principal, "curate"), compartment, english())
        if checks.prints(platform, compartment).exists():
            checks.fingerprint(platform, principal, compartment)
    if as_json:
        print_json(asdict(report))
    else:
        print_table(f"Curated {compartment}", ("what", "value"), asdict(report).items())
