"""`halocline monitor`: windows over what was said."""

from __future__ import annotations

from typing import Annotated

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
)

app = typer.Typer(help="Monitor what models said.", no_args_is_help=True)


@app.command("run")
def run(
    compartment: Annotated[list[str], typer.Argument(help="Which compartments.")],
    start: Annotated[str, typer.Option(help="RFC 3339, UTC: 2026-11-21T00:00:00Z")],
    end: Annotated[str, typer.Option(help="RFC 3339, UTC; not part of the window.")],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """One window: rates by detector, alerts, and a drift page for people.

    Example:

        halocline monitor run buy --start 2026-11-21T00:00:00Z --end 2026-11-22T00:00:00Z \\
            --token svc.jwt
    """
    from halocline_infra.checks import detectors
    from halocline_monitoring.run import Monitor

    with called(token) as (platform, principal):
        watch = Monitor(
            platform.lake,
            platform.guard,
            platform.gates,
            principal,
            detectors(platform),
        )
        report = watch.window(compartment, start, end, platform.environment.reports / "drift")
    if as_json:
        print_json(report.as_json())
        return
    rows = [
        (
            seen.compartment,
            seen.partial.num_rows,
            len(seen.alerts),
            seen.page or "",
            *seen.notes[:1],
        )
        for seen in report.observations
    ]
    print_table("Window", ("compartment", "outputs", "alerts", "page", "note"), rows)
