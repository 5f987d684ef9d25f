"""The engine of the policies and facts that hold now: it follows the files they come from.

The kind of engine is chosen once. What it decides by is looked up at each question: a changed file
is loaded before anything more is decided, so that a restriction counts from the next call on, and
one that cannot be loaded denies until it is mended. Knows no file's content.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import HaloclineError, PolicyUnavailable
from halocline_governance.policy.engine import Engine
from halocline_governance.policy.origin import Origin

# A server of our own starts within 20 s; whoever waits for longer is denied.
_PATIENCE_S = 30.0
# Two writes in one tick of the file system's clock look alike; some keep whole seconds.
_TICK_NS = 2_500_000_000
# What failed may have been a server that was down: try again, but not at every question.
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Look:
    """What the files look like. Settled: no later change can look the same."""

    stamps: tuple[tuple[int, ...] | None, ...]
    settled: bool


@dataclass(slots=True, eq=False)
class _Loaded:
    """An engine or why there is none, what it was made from, and how many ask it now."""

    look: _Look
    digest: bytes
    engine: Engine | None
    revision: str
    trouble: str
    at_s: float
    num_asking: int = 0


class Current:
    """A `policy.Engine` over whichever engine is current. Safe to use from many threads.

    Args:
        files: what an engine is made from. One that is not there is watched for.
        open_engine: opens an engine of the kind that was chosen, from what the files held; it
            reads none of them itself.

    Raises:
        HaloclineError: what the first opening raises.
    """

    def __init__(self, files: Sequence[Path], open_engine: Callable[[Origin], Engine]) -> None:
        self._files = tuple(files)
        self._open = open_engine
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        look, origin = _look(self._files), Origin.of(self._files)
        engine = open_engine(origin)
        self._loaded = _Loaded(look, origin.digest, engine, engine.revision, "", time.monotonic())
        self._name = engine.name
        self._pid = os.getpid()
        self._closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def revision(self) -> str:
        """The policies and facts that answer now.

        Raises:
            PolicyUnavailable: they cannot be loaded.
        """
        return self._now().revision

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        """See `policy.Engine`."""
        with self._asking() as engine:
            return engine.decide(gate, input)

    def close(self) -> None:
        """See `policy.Engine`. In a forked child, leaves the parent's alone."""
        if os.getpid() != self._pid:
            return
        with _held(self._lock):
            self._closed = True
            engine, self._loaded.engine = self._loaded.engine, None
        if engine is not None:
            engine.close()

    @contextmanager
    def _asking(self) -> Generator[Engine]:
        """The current engine, kept open within even if another takes its place."""
        while True:
            loaded = self._now()
            with _held(self._lock):
                if loaded is self._loaded and loaded.engine is not None:
                    loaded.num_asking += 1
                    engine = loaded.engine
                    break
        try:
            yield engine
        finally:
            with _held(self._lock):
                loaded.num_asking -= 1
                over = loaded.num_asking == 0 and loaded is not self._loaded
            if over:
                engine.close()

    def _now(self) -> _Loaded:
        """What is loaded, as new as the files are."""
        if os.getpid() != self._pid:
            # A fork may have found a lock held, or an engine in the middle of a question.
            raise PolicyUnavailable("open a policy engine in this process")
        loaded, look = self._loaded, _look(self._files)
        if not (look.settled and look == loaded.look and loaded.engine is not None):
            with _held(self._loading):
                loaded = self._followed()
        if self._closed:
            raise PolicyUnavailable("the policy engine is closed")
        if loaded.engine is None:
            raise PolicyUnavailable(f"the policies as they are now do not load: {loaded.trouble}")
        return loaded

    def _followed(self) -> _Loaded:
        """What the files say, loaded if it is not; the caller holds `_loading`."""
        before = self._loaded
        # Looked at before it is read: a change in between is seen at the next question.
        look = _look(self._files)
        origin = Origin.of(self._files)
        digest = origin.digest
        if self._closed or (digest == before.digest and not _is_due(before)):
            before.look = look
            return before
        engine, revision, trouble = None, "", ""
        try:
            engine = self._open(origin)
            revision = engine.revision
        except (HaloclineError, OSError, ValueError) as error:
            trouble = str(error)
        new = _Loaded(look, digest, engine, revision, trouble, time.monotonic())
        with _held(self._lock):
            self._loaded = new
            old = before.engine if before.num_asking == 0 else None
        if old is not None:
            old.close()
        return new


def _is_due(loaded: _Loaded) -> bool:
    return loaded.engine is None and time.monotonic() - loaded.at_s >= _RETRY_S


@contextmanager
def _held(lock: threading.Lock) -> Generator[None]:
    # Whoever holds it for this long loads what does not load: deny, do not hang.
    if not lock.acquire(timeout=_PATIENCE_S):
        raise PolicyUnavailable("the policy engine did not come free")
    try:
        yield
    finally:
        lock.release()


def _look(files: tuple[Path, ...]) -> _Look:
    stamps = tuple(map(_stamp, files))
    newest = max((max(stamp[3:]) for stamp in stamps if stamp is not None), default=0)
    return _Look(stamps, time.time_ns() - newest > _TICK_NS)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
