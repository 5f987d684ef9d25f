"""Somebody outside who ends a command whose detector hangs.

Inside nobody can: an expression that never returns holds the interpreter. A process of its own for
each detector (`--timeout`) loses one text only; this costs nothing, and loses the rest of the run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from halocline_infra.detecting import watcher

if TYPE_CHECKING:
    from halocline_infra.detecting.batches import Batch

PATIENCE_S = 600.0
PATIENCE_S_PER_BYTE = 1e-4
"""What the slowest detector takes for a text of attacks, on a machine that others use as well."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a command tells of itself."""

    wire: IO[bytes]
    patience_s: float

    def begin(self, batch: Batch) -> None:
        """From now on the detectors have this batch."""
        seconds = self.patience_s + PATIENCE_S_PER_BYTE * batch.texts.num_bytes
        source = ascii(batch.source)[1:-1][:1000]
        self._say(f"{seconds} {source}, lines {batch.places[0]} to {batch.places[-1]}")

    def end(self) -> None:
        """They have answered."""
        self._say("")

    def _say(self, text: str) -> None:
        try:
            self.wire.write(text.encode() + b"\n")
            self.wire.flush()
        except OSError:  # somebody ended it, who may
            return


@contextmanager
def watched(patience_s: float = PATIENCE_S) -> Generator[Watch]:
    """A process that kills this one, and says on standard error where it hung, once a batch takes
    too long.

    Args:
        patience_s: for one batch; to which comes a tenth of a millisecond for each of its bytes.
    """
    command = [sys.executable, "-I", "-S", watcher.__file__]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdin is not None
    watch = Watch(process.stdin, patience_s)
    try:
        yield watch
    finally:
        with suppress(OSError):
            process.stdin.close()
        process.wait()
