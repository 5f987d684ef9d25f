"""`halocline demo`: the main job, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.options import JsonFlag


def run(  # noqa: PLR0913 - the command's options are its interface
    fresh: Annotated[
        bool, typer.Option(help="Remove what an earlier demo left, then run.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Your own documents: a file or a folder.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Their label: 'confidential sides=buy', or 'public'.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Their licence, as SPDX has it.")] = None,
    text: Annotated[
        str | None, typer.Option(help="The text column of csv, jsonl, parquet.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="What to call the source.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generated firm.")] = 7,
    scale: Annotated[float, typer.Option(min=0.05, help="Size of the generated firm.")] = 1.0,
    train_seconds: Annotated[int, typer.Option(min=1, help="Time for training.")] = 75,
    as_json: JsonFlag = False,
) -> None:
    """Run the whole story: sources, ingest, curation, reading, training, promotion, serving,
    monitoring, report.

    A killed run goes on where it was. Takes about four minutes on two cores.

    Examples:

        halocline demo

        halocline demo --fresh

        halocline demo --data ./contracts --label 'confidential sides=sell' \\
            --licence LicenseRef-Internal
    """
    from halocline_infra.demo.scene import Inputs
    from halocline_infra.demo.story import tell
    from halocline_infra.environment import from_env

    inputs = Inputs(
        data=data,
        label=label,
        licence=licence,
        text=text,
        source=source,
        seed=seed,
        scale=scale,
        train_seconds=train_seconds,
    )
    tell(from_env(), inputs, fresh=fresh, as_json=as_json)
