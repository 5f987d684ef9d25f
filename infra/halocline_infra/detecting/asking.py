"""Which detectors a command asks, by the words it is given, and the way through the input."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Refused
from halocline_infra.detecting.forms import PACKED
from halocline_infra.detecting.watching import PATIENCE_S, watched

if TYPE_CHECKING:
    from halocline_infra.detecting.answers import Answers, Asked
    from halocline_infra.detecting.batches import Batch
    from halocline_infra.detecting.jsonlines import Signals

UNSCANNED_EXIT = 3
PERSONAL = ("pii", "names")
_LITTLE = 128_000_000
_GROUPS = {"structured": "pii"}


def words(text: str | None, known: Sequence[str]) -> list[str]:
    """`a,b` as detectors' names and kinds; where nothing is given, all but quality.

    Args:
        known: the detectors that may be meant.

    Raises:
        Refused: none, or one that is neither a detector that may be meant nor a kind of one.
    """
    from halocline_governance.detect import catalogue

    if text is None:
        return [name for name in known if name == "language" or name in catalogue.names()]
    asked_for = [word.strip() for word in text.split(",") if word.strip()]
    found = [_GROUPS.get(word, word) for word in asked_for]
    if not found:
        raise Refused("--kinds names none")
    for word in found:
        if word not in known and not set(catalogue.finders(word)) & set(known):
            raise Refused(_unknown(word, known))
    return list(dict.fromkeys(found))


def _unknown(word: str, known: Sequence[str]) -> str:
    from halocline_governance.detect import catalogue

    if word in catalogue.GATED or word in catalogue.names() or catalogue.finders(word):
        gated = "; it needs a label, so the release gate asks it" if word in catalogue.GATED else ""
        return f"--kinds here takes {', '.join(known)} and their kinds; not {word}{gated}"
    kinds = {kind for name, held in catalogue.kinds().items() if name in known for kind in held}
    near = get_close_matches(word.lower().replace("-", "_"), [*known, *sorted(kinds)], 1)
    hint = f"did you mean {near[0]}?" if near else "halocline pii kinds lists those of pii"
    return f"--kinds: no kind and no detector {word}; {hint}"


def everything() -> tuple[str, ...]:
    """All that `words` may name where nothing is left out."""
    from halocline_governance.detect import catalogue

    return (*catalogue.names(), *catalogue.SIGNALS)


def asked(
    wanted: Sequence[str],
    engine: str | None = None,
    timeout_s: float | None = None,
    *,
    little: bool = False,
) -> list[Asked]:
    """The detectors that these words name.

    Args:
        engine: of the detector that has several.
        timeout_s: have each in a process of its own, with so long for one batch.
        little: whether there is little to read (`is_little`).

    Raises:
        Refused: a word that names none; an engine that is not there.
    """
    from halocline_governance.detect import catalogue
    from halocline_governance.detect.isolated import Isolated
    from halocline_infra.detecting.answers import Asked

    chosen = catalogue.chosen(wanted)
    if engine is not None and not any(catalogue.entry(name).engines for name in chosen):
        raise Refused(f"--engine: none of {', '.join(chosen)} has several")
    found: list[Asked] = []
    for name, kinds in chosen.items():
        entry = catalogue.entry(name)
        which = engine or (_ready_soon() if little else None) if entry.engines else None
        if timeout_s is None:
            detector = catalogue.build(name, which)
        else:
            told = {"name": name, "engine": which}
            detector = Isolated(f"{catalogue.__name__}:build", told, timeout_s=timeout_s)
        found.append(Asked(detector, kinds, name if entry.score else None, entry.yields))
    return found


def is_little(names: Sequence[str]) -> bool:
    """Whether these are files, and so small that an engine which is ready soon is done first."""
    paths = [Path(name) for name in names]
    if not all(path.is_file() and path.suffix not in PACKED for path in paths):
        return False
    return sum(path.stat().st_size for path in paths) < _LITTLE


def _ready_soon() -> str | None:
    """An engine that takes a tenth of hyperscan's time to be made, and gives the same spans."""
    return "re2" if find_spec("re2") else None


def signals(wanted: Sequence[str]) -> Signals:
    """What is told of a text without a verdict, for the words that name it."""
    known: Signals = {"language": _language, "quality": _quality}
    return {word: _safe(known[word]) for word in wanted if word in known}


def _safe(signal: Callable[[Answers, int], Any]) -> Callable[[Answers, int], Any]:
    """None where it fails: nobody learns from a message what the text was."""

    def told(found: Answers, row: int) -> Any:
        try:
            return signal(found, row)
        except Exception:  # noqa: BLE001 - as above
            return None

    return told


def _language(found: Answers, row: int) -> str:
    from halocline_governance.detect.language import language

    return language(found.batch.texts.text(row))[0]


def _quality(found: Answers, row: int) -> dict[str, float]:
    from halocline_governance.detect.quality import signals as measured

    told = measured(found.batch.texts.text(row))
    return {name: round(float(value), 6) for name, value in told.items()}


def through(
    batches: Iterator[Batch],
    detectors: Sequence[Asked],
    take: Callable[[Answers], None],
    patience_s: float = PATIENCE_S,
) -> int:
    """Ask about every batch and hand the answers on; the exit code: 3 if one row is unscanned.

    Args:
        patience_s: how long detectors may take for a batch before this process is killed, as
            `watched` has it.
    """
    from halocline_infra.detecting.answers import answers

    progress = _Progress()
    unscanned = texts = 0
    with watched(patience_s) as watch, _loading() as loaded:
        for batch in batches:
            watch.begin(batch)
            found = answers(batch, detectors)
            watch.end()
            loaded()
            progress.hide()
            take(found)
            texts += len(batch)
            unscanned += len(found.reasons)
            progress.step(len(batch), batch.texts.num_bytes)
    progress.hide()
    if not texts:
        say("there is no text to scan")
    if unscanned:
        say(f"unscanned: {unscanned}; each says why")
    return UNSCANNED_EXIT if unscanned else 0


@contextmanager
def _loading() -> Generator[Callable[[], None]]:
    """Until it is called nothing is looked through for garbage: what detectors load stays, and is
    so much that looking takes an eighth of the time to the first answer."""
    told = gc.enable if gc.isenabled() else gc.disable
    gc.disable()
    try:
        yield told
    finally:
        told()


class _Progress:
    """One line on a terminal's standard error, four times a second at most, and again behind what
    is written where it stood."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._texts = self._bytes = 0
        self._last = 0.0
        self._there = self._again = False

    def step(self, texts: int, num_bytes: int) -> None:
        self._texts += texts
        self._bytes += num_bytes
        if self._wanted and (self._again or time.monotonic() - self._last > 0.25):
            self._last = time.monotonic()
            told = f"\rscanned {self._texts} texts, {self._bytes / 1e6:.1f} MB"
            sys.stderr.write(told)
            sys.stderr.flush()
            self._there, self._again = True, False

    def hide(self) -> None:
        """Answers that go to the same terminal have a line of their own."""
        if self._there:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._there, self._again = False, True


def say(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")
