"""Options and output that `pii` and `detect` share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands.options import print_table

if TYPE_CHECKING:
    from halocline_infra.detecting.answers import Answers
    from halocline_infra.detecting.page import Page
    from halocline_infra.detecting.tally import Tally

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files .jsonl (lines with id and text), .txt, .md, .csv, .parquet, or folders of"
        " them; - is standard input.",
    ),
]
Form = Annotated[
    str | None, typer.Option(help="What files are, whatever their names: jsonl text csv parquet.")
]
TextColumn = Annotated[str, typer.Option(help="The column of tables that holds the text.")]
IdColumn = Annotated[str, typer.Option(help="The column of tables that holds the id.")]
Html = Annotated[
    Path | None, typer.Option(metavar="OUT", help="Write a page that shows the texts, marked.")
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        help="Run detectors in processes of their own, with so long for 8 MB of texts.",
    ),
]
Engine = Annotated[
    str | None, typer.Option(help="What finds structured kinds: hyperscan, re2 or stdlib.")
]


def write(data: bytes) -> None:
    """Bytes of lines to standard output, at once."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(data)
    out.flush()


def gathered(page: Page | None, tally: Tally) -> Callable[[Answers], None]:
    """What takes answers for people: into the page if there is one, else into the table."""
    return tally.add if page is None else page.add


def tell(tally: Tally) -> None:
    """What was found in all, as a table. Shows no value."""
    rows = list(tally.rows())
    if rows:
        columns = ("kind", "found", "texts", "for example", "where")
        print_table("Found", columns, rows, whole=("kind",))
    else:
        typer.echo("nothing found")
    for name, (score, where) in tally.scores.items():
        typer.echo(f"highest {name}: {score:.3f} ({where})")
    typer.echo(f"{tally.texts} texts, {tally.num_bytes} bytes")
    for reason, number in tally.unscanned.most_common():
        typer.echo(f"unscanned: {number} ({reason})")


def publish(page: Page, target: Path) -> None:
    """Write the page, for its owner alone: it holds the texts.

    Raises:
        Refused: the target cannot be written.
    """
    from halocline_governance import durable
    from halocline_governance.errors import Refused

    if target.exists() and not target.is_file():
        raise Refused(f"{target} is no file")
    try:
        durable.write(target, page.render())
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {target}", err=True)
