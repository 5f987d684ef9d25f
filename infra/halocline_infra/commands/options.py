"""Options and output that commands share: tokens, `--json`, tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from halocline_governance.errors import Refused, Unauthenticated
from halocline_infra.environment import Environment

if TYPE_CHECKING:
    from halocline_governance.label import Label
    from halocline_governance.principal import Principal
    from halocline_infra.platform import Platform

_IDS = frozenset({"id", "decision", "decision_id", "request", "crossing"})
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
TokenFile = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="FILE|-",
        help="File with the caller's token, or - for standard input. Else HALOCLINE_TOKEN.",
    ),
]


def read_token(environment: Environment, source: str | None) -> str:
    """The caller's token; never an argument, so that it stands in no process list."""
    if source == "-":
        return sys.stdin.read().strip()
    if source is not None:
        try:
            return Path(source).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):  # a token in its place is too long a name, for instance
            raise Refused(
                "--token takes a file that can be read, or -; a token itself is never an argument"
            ) from None
    if environment.token:
        return environment.token
    raise Unauthenticated(
        "who are you? give --token FILE (or -), or set HALOCLINE_TOKEN;"
        " `halocline token issue --help` makes one"
    )


def cleared(clearance: Path | None, label: str | None) -> Label:
    """The clearance that a command is given, as a file or in one line.

    Raises:
        Refused: not once, or a file that cannot be read.
        MalformedLabel: no label.
    """
    from halocline_governance.label import loads, parse_compact

    if (clearance is None) == (label is None):
        raise Refused("give the clearance once: --clearance FILE or --label TEXT")
    if clearance is None:
        return parse_compact(label or "")
    try:
        return loads(clearance.read_bytes())
    except OSError as error:
        raise Refused(f"{clearance} cannot be read: {error.strerror}") from None


@contextmanager
def called(token: str | None) -> Generator[tuple[Platform, Principal]]:
    """The platform of this process, open, and who calls.

    Args:
        token: where the caller's token is, as `--token` says it.
    """
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    with Platform(environment) as platform:
        yield platform, platform.caller(read_token(environment, token))


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, indent=2, sort_keys=True, default=str))


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    whole: Collection[str] = _IDS,
) -> None:
    """A table for people on standard output. What a cell says is shown, and does nothing.

    Args:
        whole: the columns that are there to be copied: they stay whole, however narrow the
            terminal is.
    """
    table = Table(title=title, title_justify="left", header_style="bold")
    cells = [[_inert(str(cell)) for cell in row] for row in rows]
    for at, column in enumerate(columns):
        width = max((row[at].cell_len for row in cells), default=0) if column in whole else None
        table.add_column(column, overflow="fold", min_width=width)
    for row in cells:
        table.add_row(*row)
    Console().print(table, crop=False)


def _inert(text: str) -> Text:
    """Neither markup nor a terminal's control sequence."""
    return Text("".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text))


def show(value: Mapping[str, Any], *, as_json: bool, title: str) -> None:
    """A flat record, as JSON or as a two-column table."""
    if as_json:
        print_json(value)
    else:
        print_table(title, ("what", "value"), [(key, _cell(val)) for key, val in value.items()])


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
