"""What was found in all, for people: counts by kind, and one place each with its value hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halocline_infra.detecting.answers import Answers

_SHOWN = 32


@dataclass(slots=True)
class Tally:
    """Counts over batches."""

    texts: int = 0
    num_bytes: int = 0
    unscanned: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    holders: Counter[str] = field(default_factory=Counter[str])
    scores: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    _first: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    def add(self, found: Answers) -> None:
        """Count one batch."""
        self.texts += len(found.batch)
        self.num_bytes += found.batch.texts.num_bytes
        self.unscanned.update(found.reasons.values())
        for code, kind in enumerate(found.kinds):
            which = (found.codes == code).nonzero()[0]
            if len(which):
                self.kinds[kind] += len(which)
                self.holders[kind] += len(set(found.rows[which].tolist()))
                if kind not in self._first:
                    self._first[kind] = _example(found, int(which[0]))
        for name, values in found.scores.items():
            for row in range(len(values)):
                if row not in found.reasons and values[row] >= self.scores.get(name, (-1.0,))[0]:
                    self.scores[name] = float(values[row]), place(found, row)

    def rows(self) -> Iterator[tuple[str, int, int, str, str]]:
        """Kind, spans, texts that hold one, an example's form, where it stands; most first."""
        for kind, number in self.kinds.most_common():
            yield kind, number, self.holders[kind], *self._first[kind]


def place(found: Answers, row: int, at: int | None = None) -> str:
    """Where a row stands, and a character in it: what people look it up by."""
    batch = found.batch
    ident = batch.ids[row]
    name = str(ident) if ident is not None else f"line {batch.places[row]}"
    where = name if name == batch.source else f"{batch.source}: {name}"
    return where if at is None else f"{where}, character {at}"


def masked(value: str) -> str:
    """The form of a value: letters and digits hidden, at most 32 characters."""
    hidden = "".join("•" if char.isalnum() else char for char in value[:_SHOWN])
    return hidden + ("…" if len(value) > _SHOWN else "")


def _example(found: Answers, which: int) -> tuple[str, str]:
    row = int(found.rows[which])
    value = found.batch.texts.raw(row)[int(found.starts[which]) : int(found.ends[which])]
    at = int(found.heads[which])
    return masked(value.decode("utf-8", "replace")), place(found, row, at)
