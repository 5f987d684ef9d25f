"""`halocline serve`: promoted models behind the OpenAI API."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Serve promoted models.", no_args_is_help=True)


@app.command("run")
def run(
    model: Annotated[list[str], typer.Option(help="A model's name; give it once for each.")],
    alias: Annotated[str, typer.Option(help="The alias to serve.")] = "champion",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve until interrupted. Every call is decided, checked and recorded.

    Example:

        halocline serve run --model research-note

        curl localhost:8000/v1/completions -H "Authorization: Bearer $(cat app.jwt)" \\
            -H 'Content-Type: application/json' -d '{"model": "research-note", "prompt": "The"}'
    """
    from rich.console import Console

    from halocline_infra.environment import from_env
    from halocline_infra.hosting import hosted
    from halocline_infra.platform import Platform
    from halocline_serving.app import create_app
    from halocline_serving.server import serve

    console = Console(stderr=True, highlight=False)
    with Platform(from_env()) as platform, hosted(platform, model, alias) as runtime:
        console.print(f"policies decided by {platform.engine.name}", style="dim")
        console.print(f"starting {', '.join(model)} at http://{host}:{port}/v1")
        serve(create_app(runtime), host, port)
