"""`halocline train`: models from governed rows, and detectors from open data."""

from __future__ import annotations

from typing import Annotated

import typer

from halocline_infra.commands import train_detector
from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_table,
    show,
)

app = typer.Typer(help="Train models on pinned mixtures.", no_args_is_help=True)


@app.command("run")
def run(
    source: Annotated[
        list[str], typer.Option(help="Compartment and weight, buy=3; buy@2=3 pins version 2.")
    ],
    recipe: Annotated[str, typer.Option(help="See: halocline train recipes.")] = "house",
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Train a recipe on curated documents, weighed in tokens.

    A run is named by what goes into it: asked for again it goes on, or gives what was trained.

    Example:

        halocline train run --source public=1 --source buy=3 --token svc.jwt
    """
    from rich.console import Console

    from halocline_infra.training import recipe_of, site, sources
    from halocline_pipelines.training.inputs import TrainRequest
    from halocline_pipelines.training.run import train

    console = Console(stderr=True, highlight=False)
    chosen, wanted = recipe_of(recipe), sources(source)
    with called(token) as (platform, principal):
        trained = train(
            site(platform),
            chosen,
            TrainRequest(principal, wanted),
            lambda text: console.print(text, style="dim", markup=False),
        )
    told = {
        "run": trained.run_id,
        "mlflow_run": trained.mlflow_run_id,
        "label": trained.label.as_json(),
        "steps": trained.num_steps,
        "tokens": trained.num_tokens,
        "held_out_loss": trained.held_out_loss,
        "model": str(trained.model_dir),
    }
    show(told, as_json=as_json, title="Trained")


@app.command("recipes")
def recipes() -> None:
    """The recipes there are, and what each one does.

    Example:

        halocline train recipes
    """
    from halocline_infra.training import recipes_there

    print_table("Recipes", ("name", "what"), recipes_there().items())


app.command("detector")(train_detector.train)
