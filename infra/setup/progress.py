"""Says what set-up is doing, how long it has taken and how much has been written to disk.

Knows nothing of the steps. A step's own output goes to a log; its end is shown when it fails.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_GIB = 2**30
_TAIL_LINES = 15


class Stopped(Exception):
    """Set-up cannot go on; the message says what to do next."""


class Progress:
    """One line per finished step on standard error, and a sign of life while one runs."""

    def __init__(self, root: Path, log: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._log, self._clock = root, log, clock
        self._start = clock()
        self._live = sys.stderr.isatty()

    def say(self, step: str, text: str) -> None:
        self._clear()
        print(f"[{self._elapsed():6.1f} s] {step:9} {text}", file=sys.stderr, flush=True)

    def run(
        self,
        step: str,
        command: Sequence[str | Path],
        advice: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run one command to its end; `Stopped` with the end of its output when it fails."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        used = shutil.disk_usage(self._root).used
        with self._log.open("wb") as log:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
            try:
                status = self._watch(step, child, used)
            except BaseException:
                child.terminate()
                child.wait()
                raise
        if status != 0:
            raise Stopped(f"{step}: {Path(command[0]).name} failed.\n{self._tail()}\n{advice}")

    def _watch(self, step: str, child: subprocess.Popen[bytes], used: int) -> int:
        started = self._clock()
        period_s = 1.0 if self._live else 20.0
        while True:
            try:
                return child.wait(period_s)
            except subprocess.TimeoutExpired:
                grown = max(0, shutil.disk_usage(self._root).used - used) / _GIB
                text = f"... {self._clock() - started:.0f} s, {grown:.1f} GB written"
                self._clear()
                print(
                    f"[{self._elapsed():6.1f} s] {step:9} {text}",
                    end="" if self._live else "\n",
                    file=sys.stderr,
                    flush=True,
                )

    def _clear(self) -> None:
        if self._live:
            print("\r\033[K", end="", file=sys.stderr)

    def _elapsed(self) -> float:
        return self._clock() - self._start

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines) + f"\n    (all of it: {self._log})"
