"""The command line: `halocline <component> <command>`.

Commands are thin: they read arguments, call a component, print. Every command that prints a
result takes `--json`; anything refused or failed exits with a code other than 0.
"""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console

from halocline_governance.errors import Denied, HaloclineError, Refused
from halocline_infra.commands import (
    audit,
    checks,
    cross,
    curate,
    demo,
    detect,
    directory,
    erase,
    firm,
    lake,
    lineage,
    model,
    monitor,
    pii,
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
    "checks": checks.app,
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
    "pii": pii.app,
}.items():
    app.add_typer(group, name=name)
app.command("demo")(demo.run)
app.command("detect")(detect.run)


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
        _check_text(sys.argv[1:])
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
    except Exception as error:
        if not _is_of_delta(error):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]  # then a backtrace
        _tell(f"a table could not be read or written: {first[:300]}")
        sys.exit(1)


def _check_text(arguments: list[str]) -> None:
    """What is no UTF-8 arrives as lone surrogates, which nothing can be called.

    Raises:
        Refused: an argument is no text.
    """
    for place, argument in enumerate(arguments, start=1):
        if not argument.isprintable() and any("\ud800" <= char <= "\udfff" for char in argument):
            raise Refused(f"argument {place} is not UTF-8")


def _is_of_delta(error: Exception) -> bool:
    """Whether a table's files failed, without loading what nobody else has."""
    loaded = sys.modules.get("deltalake.exceptions")
    return loaded is not None and isinstance(error, loaded.DeltaError)


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
