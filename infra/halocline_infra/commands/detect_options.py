"""Options and output that the commands over texts share: `pii scan`, `pii scrub`, `detect`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from inspect import Parameter, Signature
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from halocline_infra.commands.options import JsonFlag, print_table

if TYPE_CHECKING:
    from halocline_infra.detecting.answers import Answers
    from halocline_infra.detecting.batches import Size
    from halocline_infra.detecting.forms import Reading
    from halocline_infra.detecting.page import Page
    from halocline_infra.detecting.tally import Tally

CLOSED_EXIT = 141
"""What a shell reports of a program that the kernel ends for writing to a closed pipe (128 +
SIGPIPE), as of other tools; not 0, which would say that every text was scanned."""

_Options = TypeVar("_Options")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is read, and which detectors read it."""

    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Files: .jsonl (lines with id and text), .json, .txt, .md, .log (each line a"
            " text), .csv, .tsv, .parquet, each also .gz .bz2 .xz .zst; folders of them; - is"
            " standard input.",
        ),
    ]
    kinds: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Only these: kinds of spans (see: pii kinds) or detectors' names."
        ),
    ] = None
    engine: Annotated[
        str | None, typer.Option(help="What finds structured kinds: hyperscan, re2 or stdlib.")
    ] = None
    form: Annotated[
        str | None,
        typer.Option(
            help="What files hold, whatever their names: jsonl json text lines csv tsv parquet."
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(
            help="Of files that are not UTF-8: latin-1, cp1252, shift_jis, utf-16-le. A byte-order"
            " mark is known without it."
        ),
    ] = None
    text_column: Annotated[
        str, typer.Option(help="The column of tables, the field of records, that holds the text.")
    ] = "text"
    id_column: Annotated[str, typer.Option(help="The one that holds the id.")] = "id"

    def reading(self, size: Size | None = None) -> Reading:
        """How the files are read.

        Raises:
            Refused: as `Reading`.
        """
        from halocline_infra.detecting.batches import FAST
        from halocline_infra.detecting.forms import Reading

        return Reading(self.form, self.text_column, self.id_column, self.encoding, size or FAST)


@dataclass(frozen=True, kw_only=True)
class Looked(Given):
    """And how what is found is told."""

    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Run detectors in processes of their own, with so long for a batch: a text that"
            " takes longer, or ends the process, is unscanned, and the others go on. Without it"
            " a detector that hangs for minutes ends the command.",
        ),
    ] = None
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write a page that shows the texts, marked.")
    ] = None
    as_json: JsonFlag = False


def taking(options: type[_Options]) -> Callable[[Callable[[_Options], None]], Callable[..., None]]:
    """A command whose options are the fields of this class, in their order."""
    hints = get_type_hints(options, include_extras=True)
    held = [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(options)  # pyright: ignore[reportArgumentType]
    ]

    def made(run: Callable[[_Options], None]) -> Callable[..., None]:
        def command(**given: Any) -> None:
            run(options(**given))

        command.__doc__, command.__name__ = run.__doc__, run.__name__
        command.__annotations__ = {one.name: one.annotation for one in held}
        vars(command)["__signature__"] = Signature(held)
        return command

    return made


def look(given: Looked, known: Sequence[str], title: str) -> None:
    """Ask detectors about the files and tell what they find, as the options say.

    Args:
        known: which may be asked; all of them without `--kinds`.
        title: of the page.

    Raises:
        Refused: an option that cannot be.
        Exit: always; the code is the command's.
    """
    from halocline_infra.detecting.asking import asked, is_little, signals, through, words
    from halocline_infra.detecting.batches import FAST, SLOW
    from halocline_infra.detecting.inputs import batches
    from halocline_infra.detecting.jsonlines import encoded
    from halocline_infra.detecting.page import Page
    from halocline_infra.detecting.tally import Tally
    from halocline_infra.detecting.watching import PATIENCE_S

    wanted = words(given.kinds, known)
    told = signals(wanted)
    detectors = asked(
        [word for word in wanted if word not in told],
        given.engine,
        given.timeout,
        little=is_little(given.files),
    )
    scoring = any(one.scores for one in detectors)
    spans = len(wanted) > 1 or any(one.scores is None for one in detectors)
    texts = batches(given.files, given.reading(SLOW if scoring else FAST))
    several = len(given.files) > 1
    if given.html:
        _check_target(given.html, given.files)
    page = Page(title) if given.html else None
    tally = page.tally if page else Tally()
    takers: list[Callable[[Answers], None]] = []
    if given.as_json:
        takers.append(lambda found: write(encoded(found, spans=spans, files=several, signals=told)))
    if page or not given.as_json:
        takers.append(page.add if page else tally.add)
    with read_by_somebody():
        code = through(
            texts, detectors, _all_of(takers), PATIENCE_S if given.timeout is None else inf
        )
        if not given.as_json:
            tell(tally)
    if page and given.html:
        publish(page, given.html)
    raise typer.Exit(code)


def _all_of(takers: Iterable[Callable[[Answers], None]]) -> Callable[[Answers], None]:
    def take(found: Answers) -> None:
        for taker in takers:
            taker(found)

    return take


@contextmanager
def read_by_somebody() -> Generator[None]:
    """Ends the command quietly once nobody reads on: `… | head`.

    Raises:
        Refused: there is no standard output.
    """
    from halocline_governance.errors import Refused

    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - `>&-`
        raise Refused("standard output is closed")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        raise typer.Exit(CLOSED_EXIT) from None
    except OSError:
        _drop_output()  # a full disk: told once, not again when Python ends
        raise


def _drop_output() -> None:
    """What could not be written is not tried again."""
    import os

    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


def write(data: bytes) -> None:
    """Bytes of lines to standard output, at once."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(data)
    out.flush()


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


def _check_target(target: Path, files: Sequence[str]) -> None:
    """Before a long scan rather than behind it.

    Raises:
        Refused: a page cannot be written there, or would be over what is read.
    """
    from halocline_governance.errors import Refused

    if target.exists() and not target.is_file():
        raise Refused(f"{target} is no file")
    if not target.parent.is_dir():
        raise Refused(f"{target} cannot be written: no such folder")
    if target.exists() and any(name != "-" and target.samefile(name) for name in files):
        raise Refused(f"{target} is read: give --html another name")


def publish(page: Page, target: Path) -> None:
    """Write the page, for its owner alone: it holds the texts.

    Raises:
        Refused: the target cannot be written.
    """
    from halocline_governance import durable
    from halocline_governance.errors import Refused

    try:
        durable.write(target, page.render())
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {target}", err=True)
