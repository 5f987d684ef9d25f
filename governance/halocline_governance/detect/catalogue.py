"""Every detector by its name: what it finds, what it needs, and how to build it.

Building one loads its module and nothing before; its model loads at its first text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from halocline_governance.detect.verdict import Detector
from halocline_governance.errors import Refused


@dataclass(frozen=True, slots=True)
class Entry:
    """One detector that needs nothing but the text.

    Args:
        name: as commands and recipes call it.
        what: in a few words, for people.
        build: makes it, with the engine of that name; None for the best that is there.
        score: whether a text has a score, told under the detector's name.
        engines: the names of those that give the same answers, if there are several.
        yields: whether its spans give way, where they touch, to those of detectors that don't
            score: what a checksum or a form confirms is surer than what reads like a name.
    """

    name: str
    what: str
    build: Callable[[str | None], Detector]
    score: bool = False
    engines: tuple[str, ...] = ()
    yields: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind that its spans can have."""
        return self.build(None).kinds


def _pii(engine: str | None) -> Detector:
    from halocline_governance.detect.pii import PiiDetector

    return PiiDetector(engine=engine)


def _names(_: str | None) -> Detector:
    from halocline_governance.detect.names import NamesDetector

    return NamesDetector()


def _secrets(_: str | None) -> Detector:
    from halocline_governance.detect.secrets import SecretDetector

    return SecretDetector()


def _toxicity(_: str | None) -> Detector:
    from halocline_governance.detect.toxicity import ToxicityDetector

    return ToxicityDetector()


def _injection(_: str | None) -> Detector:
    from halocline_governance.detect.injection import InjectionDetector

    return InjectionDetector()


_ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            "pii",
            "structured personal data: numbers, addresses, identifiers",
            _pii,
            engines=("hyperscan", "re2", "stdlib"),
        ),
        Entry("names", "people, organizations and places by name", _names, yields=True),
        Entry("secrets", "keys, tokens and passwords", _secrets),
        Entry("toxicity", "attacks on a person or a group", _toxicity, score=True),
        Entry("injection", "orders to a model that a text has no right to", _injection, score=True),
    )
}

GATED = {
    "segregation": "text and names of compartments that a label does not cover",
    "canary": "sentences planted in a compartment",
}
"""Detectors that need a compartment's keyed index: who asks decides what they may tell, so they are
built where a label is known (the release gate, monitoring) and by no name."""

SIGNALS = {
    "language": "the language of a text: a code",
    "quality": "counts and shares by which curation keeps or drops a text",
}
"""What is told of a text and is no finding; `language` and `quality` have the functions."""


def names() -> tuple[str, ...]:
    """The detectors that `build` makes, in the order in which they are told."""
    return tuple(_ENTRIES)


def entry(name: str) -> Entry:
    """The entry of this name.

    Raises:
        Refused: there is none, or it is one of `GATED`.
    """
    if name in GATED:
        raise Refused(f"{name} needs a label and the lake's indexes: the release gate builds it")
    if name not in _ENTRIES:
        raise Refused(f"no detector {name}; there are {', '.join(names())}")
    return _ENTRIES[name]


def build(name: str, engine: str | None = None) -> Detector:
    """A detector by its name.

    Raises:
        Refused: as `entry`; it has no such engine, or that engine's package is not there.
    """
    found = entry(name)
    if engine is not None and engine not in found.engines:
        known = ", ".join(found.engines)
        raise Refused(f"{name} has no engine {engine}" + (f"; it has {known}" if known else ""))
    try:
        return found.build(engine)
    except ImportError as error:
        raise Refused(f"{name}: {error.name} is not installed") from None


def kinds() -> dict[str, frozenset[str]]:
    """Every kind there is, by detector."""
    return {name: one.kinds for name, one in _ENTRIES.items()}


def finders(kind: str) -> tuple[str, ...]:
    """The detectors that find this kind."""
    return tuple(name for name, held in kinds().items() if kind in held)


def chosen(wanted: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """Detectors for words that are detectors' names or kinds: None for all kinds of one.

    Raises:
        Refused: a word that is neither.
    """
    found: dict[str, frozenset[str] | None] = {}
    for word in wanted:
        if word in _ENTRIES:
            found[word] = None
            continue
        finding = finders(word)
        if not finding:
            entry(word)
        for name in finding:
            held = found.get(name, frozenset())
            found[name] = None if held is None else held | {word}
    return {name: found[name] for name in names() if name in found}
