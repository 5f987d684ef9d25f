"""The command line: `halocline <component> <command>`.

Commands are thin: they read arguments, call a component, print. Every command that prints a
result takes `--json`; anything refused or failed exits with a code other than 0.
"""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console

from halocline_governance.errors import Denied, HaloclineError
from halocline_infra.commands import (
    audit,
    cross,
    curate,
    demo,
    directory,
    erase,
    firm,
    lake,
    lineage,
    model,
    monitor,
    policy,
    report,
    serve,
    token,
    train,
)

app = typer.Typer(
    name="halocline",
    help=(
        "A governed lakehouse for language models: data that must not mix, doesn't.\n\n"
        "Start with `halocline demo`, then `halocline audit verify`."
    ),
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for name, group in {
    "lake": lake.app,
    "curate": curate.app,
    "train": train.app,
    "model": model.app,
    "serve": serve.app,
    "monitor": monitor.app,
    "audit": audit.app,
    "lineage": lineage.app,
    "report": report.app,
    "policy": policy.app,
    "token": token.app,
    "cross": cross.app,
    "directory": directory.app,
    "firm": firm.app,
    "erase": erase.app,
}.items():
    app.add_typer(group, name=name)
app.command("demo")(demo.run)


def main() -> None:
    """Entry point. A deliberate error is told in one line on stderr and exits with 1."""
    # Third parties phone home unless told not to; nothing leaves this machine unasked.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # Nor do they fill the terminal with their own progress.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        app()
    except KeyboardInterrupt:
        _tell("interrupted; run the same command to go on")
        sys.exit(130)
    except HaloclineError as error:
        _tell(str(error))
        if isinstance(error, Denied):
            print_reference(error)
        sys.exit(1)
    except OSError as error:
        # A full disk, a closed pipe, a file that is not ours: the system's own words.
        _tell(str(error))
        sys.exit(1)


def _tell(text: str) -> None:
    """One line, however narrow the terminal is."""
    Console(stderr=True).print(f"halocline: {text}", style="red", markup=False, soft_wrap=True)


def print_reference(error: Denied) -> None:
    """How a compliance officer finds out why; the caller is not told."""
    Console(stderr=True).print(
        f"  code {error.code}; to explain: halocline policy explain {error.decision.id}",
        markup=False,
        soft_wrap=True,
    )
