"""Texts scrubbed on their way from files to a file, which is whole or is not there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Refused
from halocline_infra.detecting.asking import UNSCANNED_EXIT, say
from halocline_infra.detecting.watching import watched

if TYPE_CHECKING:
    from halocline_governance.scrub import Scrubber
    from halocline_governance.scrub.column import ScrubbedBatch
    from halocline_infra.detecting.batches import Batch

    Write = Callable[[Batch, ScrubbedBatch], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where scrubbed texts go.

    Args:
        path: .jsonl, or .txt and .md for the one text there is.
        files: where they come from: none of them is written over.

    Raises:
        Refused: it cannot be written, or not in that form.
    """

    path: Path
    files: Sequence[str]

    def __post_init__(self) -> None:
        if self.path.suffix not in (".jsonl", ".txt", ".md"):
            raise Refused("--out is a .jsonl file; for one text, .txt or .md")
        if self.path.exists() and not self.path.is_file():
            raise Refused(f"{self.path} is no file")
        for name in self.files:
            if name != "-" and self.path.exists() and os.path.samefile(name, self.path):
                raise Refused(f"{self.path} is read: give --out another name")

    @contextmanager
    def opened(self) -> Generator[Write]:
        """For the owner alone, and in its place when all is written.

        Raises:
            Refused: it cannot be written.
        """
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused(f"{self.path} cannot be written: {error.strerror}") from None
        try:
            with os.fdopen(handle, "wb") as file:
                yield _lines(file) if self.path.suffix == ".jsonl" else _one(file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)


def rewritten(batches: Iterator[Batch], scrubber: Scrubber, write: Write) -> int:
    """Scrub all of them; the exit code: 3 if one text could not be."""
    withheld = values = 0
    with watched() as watch:
        for batch in batches:
            watch.begin(batch)
            done = scrubber.scrub_batch(batch.texts)
            watch.end()
            write(batch, done)
            withheld += len(done.withheld)
            values += sum(one.count for one in done.changed.values())
    say(f"values replaced: {values}")
    if withheld:
        say(f"texts withheld: {withheld}; each says why")
    return UNSCANNED_EXIT if withheld else 0


def _lines(file: Any) -> Write:
    def write(batch: Batch, done: ScrubbedBatch) -> None:
        for row, (ident, place) in enumerate(zip(batch.ids, batch.places, strict=True)):
            line: dict[str, Any] = {"id": ident}
            if ident is None:
                line["line"] = place
            if row in done.withheld:
                line |= {"text": None, "unscanned": done.withheld[row]}
            else:
                line["text"] = done.row(row).text
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    return write


def _one(file: Any) -> Write:
    seen = 0

    def write(batch: Batch, done: ScrubbedBatch) -> None:
        nonlocal seen
        seen += len(batch)
        if seen > 1:
            raise Refused("there are several texts: give --out a .jsonl file")
        if done.withheld:
            raise Refused(f"nothing is written: {done.withheld[0]}")
        file.write(done.row(0).text.encode())

    return write
