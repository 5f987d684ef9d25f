"""What one epoch reads: so many rows of each source and label, our own sentences, and damage."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from halocline_pipelines.recipes.toxicity import sources, spoil, templates
from halocline_pipelines.recipes.toxicity.templates import Row

# Rows an epoch draws: attacks, and the rest. Tweets' rest is two lists: offensive, and neither.
_QUOTA: Mapping[str, tuple[int, int]] = {
    "tweets": (2600, 7000),
    "edos": (4800, 6000),
    "forum": (2400, 4200),
    "wikipedia_talk": (500, 1400),
    "identity_templates": (1200, 1200),
    "clean": (0, 4500),
    "office": (0, 1500),
    "manuals": (0, 3500),
}
_OWN = 1000
# What is said in the most ways is drawn more often; what a neighbour teaches too, less: `naming`
# and `gender` stand beside `neutral` and `positive`, `crude` beside `profanity`.
_OWN_SHARES: Mapping[str, float] = {
    "implicit": 1.5,
    "insult": 1.5,
    "naming": 0.5,
    "gender": 0.5,
    "crude": 0.5,
}
_SIFTED: Mapping[str, tuple[int, int]] = {
    "tweets": (800, 5000),
    "edos": (2000, 6000),
    "forum": (1100, 8600),
    "wikipedia_talk": (300, 700),
    "identity_templates": (400, 600),
    "clean": (0, 7000),
    "office": (0, 4500),
    "manuals": (0, 6000),
}
_SIFTED_OWN = 200
# The shares that are damaged: of our own harmless sentences and attacks, and of everything else.
_SPOILT, _SPOILT_OTHERS = (0.3, 0.35), 0.1
_OFFICE, _OFFICE_SEED = 1600, 31


@dataclass(frozen=True, slots=True)
class Pool:
    """Everything that may be drawn from, without what is held out."""

    rows: Mapping[str, Sequence[Row]]
    functions: Sequence[templates.Function]
    groups: Sequence[templates.Group]
    scale: float = 1.0
    context: Sequence[str] = field(default_factory=tuple[str, ...])
    quota: Mapping[str, tuple[int, int]] = field(default_factory=lambda: _QUOTA)
    own: int = _OWN

    def epoch(self, number: int) -> list[Row]:
        """The rows of this epoch, in no particular order; the same for the same number."""
        rng = random.Random(1000 + number)
        chosen: list[Row] = []
        for name, rows in self.rows.items():
            attacks = [row for row in rows if row.attack > 0.5]
            others = [row for row in rows if row.attack <= 0.5]
            for part, quota in zip((attacks, others), self.quota[name], strict=True):
                chosen += _drawn(part, int(quota * self.scale), rng)
        per_function = int(self.own * self.scale)
        chosen += templates.write(
            self.functions, self.groups, per_function, rng.randrange(1 << 30), _OWN_SHARES
        )
        return [self._varied(row, rng) for row in chosen]

    def _varied(self, row: Row, rng: random.Random) -> Row:
        text = row.text
        if row.source == "wikipedia_talk":
            text = _window(text, rng, first=row.attack > 0.5)
        if row.source == "own" and self.context and rng.random() < 0.12:
            other = rng.choice(self.context)
            text = f"{other} {text}" if rng.random() < 0.6 else f"{text} {other}"
        own, attacks = _SPOILT
        share = (attacks if row.attack > 0.5 else own) if row.source == "own" else _SPOILT_OTHERS
        if rng.random() < share:
            text = spoil.spoilt(text, rng)
        return replace(row, text=text)


def pool(
    folder: Path,
    *,
    without_source: str = "",
    without_functions: Sequence[str] = (),
    without_categories: Sequence[str] = (),
    scale: float = 1.0,
) -> Pool:
    """The rows to train on: all but the twelfth that calibrates, and but what is held out."""
    rows = {
        name: [row for row in sources.labelled(folder, name) if not sources.held_back(row.text)]
        for name in sources.SOURCES
        if name != without_source
    }
    clean = [row for row in sources.clean(folder) if not sources.held_back(row.text)]
    rows["clean"] = clean
    for name, others in (
        ("office", sources.office(_OFFICE, _OFFICE_SEED)),
        ("manuals", sources.manuals()),
    ):
        rows[name] = [row for row in others if not sources.held_back(row.text)]
    return Pool(
        rows,
        [one for one in templates.functions() if one.name not in without_functions],
        [one for one in templates.groups() if one.category not in without_categories],
        scale,
        tuple(row.text for row in clean[:800] if len(row.text) < 90),
    )


def _drawn(rows: Sequence[Row], count: int, rng: random.Random) -> list[Row]:
    whole, rest = divmod(count, len(rows)) if rows else (0, 0)
    return [*(list(rows) * min(whole, 3)), *(rng.sample(list(rows), rest) if whole < 3 else [])]


def _window(text: str, rng: random.Random, first: bool) -> str:
    words = text.split()
    at = 0 if first or len(words) < 60 else rng.randrange(len(words) - 45)
    return " ".join(words[at : at + 50])


def sifted(pool: Pool) -> Pool:
    """The same pool, drawn as the first stage needs it: less of what attacks, more of what is
    clear.
    """
    return replace(pool, quota=_SIFTED, own=_SIFTED_OWN)


def scaled(pool: Pool, scale: float) -> Pool:
    """The same pool, of which an epoch draws that share."""
    return replace(pool, scale=pool.scale * scale)
