"""Precision, recall and F2 by kind, by the method of presidio-evaluator's span evaluator.

A found span counts when it has the gold's kind and their intersection over union, in characters,
reaches the threshold (0.9 by default there; 0.5 is told beside). A wrong kind, or too little
overlap, is a false alarm and a miss. beta is 2: a miss weighs four times a false alarm.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.detecting.gold import IGNORE, Document, Mark

BETA = 2.0


@dataclass(frozen=True, slots=True)
class Counts:
    """True and false alarms and misses of one kind."""

    hits: int = 0
    alarms: int = 0
    misses: int = 0

    @property
    def gold(self) -> int:
        return self.hits + self.misses

    @property
    def precision(self) -> float:
        found = self.hits + self.alarms
        return self.hits / found if found else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.gold if self.gold else 0.0

    @property
    def f2(self) -> float:
        """(1 + b²)·hits / ((1 + b²)·hits + b²·misses + alarms), 0 where nothing is right."""
        weight = BETA**2
        below = (1 + weight) * self.hits + weight * self.misses + self.alarms
        return (1 + weight) * self.hits / below if below else 0.0

    @property
    def f1(self) -> float:
        below = 2 * self.hits + self.misses + self.alarms
        return 2 * self.hits / below if below else 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.hits + other.hits, self.alarms + other.alarms, self.misses + other.misses
        )

    def as_json(self) -> dict[str, float]:
        return {
            "n": self.gold,
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f2": round(self.f2, 4),
        }


@dataclass(frozen=True, slots=True)
class Score:
    """Counts by kind at one threshold, and the share of gold characters that nothing covers."""

    threshold: float
    kinds: dict[str, Counts]
    leaked: int = 0
    characters: int = 0
    unscanned: int = 0
    wrong: tuple[tuple[str, str, Mark], ...] = field(default=(), repr=False)

    @property
    def micro(self) -> Counts:
        return sum(self.kinds.values(), Counts())

    def macro(self, kinds: Iterable[str]) -> float:
        """The mean F2 of these kinds."""
        listed = list(kinds)
        return sum(self.kinds.get(kind, Counts()).f2 for kind in listed) / max(1, len(listed))

    @property
    def leak(self) -> float:
        return self.leaked / max(1, self.characters)

    def as_json(self, kinds: Sequence[str], each: bool = False) -> dict[str, object]:
        told: dict[str, object] = {
            "threshold": self.threshold,
            "micro": self.micro.as_json(),
            "macro_f2": round(self.macro(kinds), 4),
            "leak_rate": round(self.leak, 4),
            "unscanned": self.unscanned,
        }
        if each:
            told["kinds"] = {kind: self.kinds.get(kind, Counts()).as_json() for kind in kinds}
        return told


def score(
    documents: Sequence[Document],
    found: Sequence[Sequence[Mark] | None],
    threshold: float = 0.9,
    kinds: frozenset[str] | None = None,
) -> Score:
    """`found` has one entry a document, None where it was not scanned: all its gold is missed.

    `kinds` narrows both sides to what a detector claims to know.
    """
    hits: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    wrong: list[tuple[str, str, Mark]] = []
    leaked = characters = 0
    for document, marks in zip(documents, found, strict=True):
        gold = [m for m in document.marks if m.kind != IGNORE and (not kinds or m.kind in kinds)]
        free = [m for m in document.marks if m.kind == IGNORE]
        mine = [m for m in marks or () if not kinds or m.kind in kinds]
        pairs = matched(gold, mine, threshold)
        hits.update(gold[at].kind for at, _ in pairs)
        caught, used = {at for at, _ in pairs}, {by for _, by in pairs}
        for at, one in enumerate(gold):
            if at not in caught:
                misses[one.kind] += 1
                wrong.append((document.id, "missed", one))
        for by, other in enumerate(mine):
            if by not in used and not any(overlap(other, each) for each in free):
                alarms[other.kind] += 1
                wrong.append((document.id, "alarm", other))
        covered = {at for m in marks or () for at in range(m.start, m.end)}
        places = [at for m in gold for at in range(m.start, m.end)]
        characters += len(places)
        leaked += sum(at not in covered for at in places)
    every = sorted({*hits, *alarms, *misses})
    counts = {kind: Counts(hits[kind], alarms[kind], misses[kind]) for kind in every}
    missing = sum(marks is None for marks in found)
    return Score(threshold, counts, leaked, characters, missing, tuple(wrong))


def matched(gold: Sequence[Mark], found: Sequence[Mark], threshold: float) -> list[tuple[int, int]]:
    """Places of pairs of one kind that overlap enough, the closest first, each span once."""
    near = [
        (ratio, at, by)
        for at, one in enumerate(gold)
        for by, other in enumerate(found)
        if one.kind == other.kind and (ratio := union_ratio(one, other)) >= threshold
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, at, by in sorted(near, key=lambda each: (-each[0], each[1], each[2])):
        if at not in pairs and by not in taken:
            pairs[at] = by
            taken.add(by)
    return list(pairs.items())


def overlap(one: Mark, other: Mark) -> int:
    """How many characters they share."""
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def union_ratio(one: Mark, other: Mark) -> float:
    """Intersection over union."""
    shared = overlap(one, other)
    whole = one.end - one.start + other.end - other.start - shared
    return shared / whole if whole else 0.0
