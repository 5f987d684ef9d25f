"""`halocline train detector`: the weights of our own detectors, made again from open data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from halocline_infra.commands.options import JsonFlag, print_json, print_table

RECIPES = {
    "injection": "orders to a model that a text has no right to; DATA holds ordinary texts",
    "names": "names of people, organisations and places; DATA holds ner/",
    "toxicity": "attacks on a person or a group; DATA holds toxicity/ and ner/",
}


def train(
    recipe: Annotated[str, typer.Argument(help="One of: injection, names, toxicity.")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="The folder with the open data.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to write; else RECIPE.safetensors, here."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Train a detector's weights on open data, and report how good they are on what was held out.

    The sources, their licences and how to lay them out in DATA are told in docs/detectors.md. The
    same data gives the same weights. Nothing that is installed changes: to use what was trained,
    put it in the place of the file that the package has.

    Example:

        halocline train detector toxicity data --out toxicity.safetensors
    """
    from importlib import import_module

    from halocline_governance.errors import Refused

    if recipe not in RECIPES:
        raise Refused(f"no recipe {recipe}; there are {', '.join(RECIPES)}")
    if not data.is_dir():
        raise Refused(f"{data} is no folder")
    target = out or Path(f"{recipe}.safetensors")
    if target.exists() and not target.is_file():
        raise Refused(f"{target} is no file")
    module = import_module(f"halocline_pipelines.recipes.{recipe}")
    report = module.train(data, target, _say)
    if as_json:
        print_json(report)
        return
    print_table("Trained", ("what", "value"), _flat("", report))
    typer.echo(f"wrote {target}", err=True)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _flat(name: str, value: object) -> list[tuple[str, str]]:
    """A nested report as rows, each named by its way."""
    if not isinstance(value, dict):
        return [(name, f"{value:.4g}" if isinstance(value, float) else str(value))]
    rows: list[tuple[str, str]] = []
    for key, inner in cast("dict[str, object]", value).items():
        rows += _flat(f"{name} {key}".strip(), inner)
    return rows
