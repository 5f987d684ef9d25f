"""One compartment's fingerprints and restricted names: built, merged, split, asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.segregation import filter as sieve
from halocline_governance.detect.segregation import prf, windows
from halocline_governance.detect.segregation.form import form
from halocline_governance.detect.segregation.pieces import pieces
from halocline_governance.detect.segregation.restricted import Restricted
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Mask, Tags
    from halocline_governance.detect.segregation.filter import Words

_BATCH_BYTES = 4 * 2**20
_FLUSH = 2**24


@dataclass(frozen=True)
class Run:
    """Tags, sorted, each once, and the filter that answers for most that are not among them.

    Both may lie in files mapped into memory, which all processes of a machine share.
    """

    prints: Tags = field(repr=False)
    words: Words = field(repr=False)

    @classmethod
    def of(cls, tags: Tags) -> Run:
        prints = unique(tags)
        return cls.ready(prints, sieve.filled(prints))

    @classmethod
    def ready(cls, prints: Tags, words: Words) -> Run:
        """From arrays that nobody writes to any more."""
        prints.flags.writeable = words.flags.writeable = False
        return cls(prints, words)

    def __len__(self) -> int:
        return len(self.prints)

    @cached_property
    def fence(self) -> sieve.Fence:
        """Made when a tag is first asked: it reads all of them once."""
        return sieve.Fence.around(self.prints)

    def holds(self, tags: Tags) -> Mask:
        """Which of these tags it has."""
        return sieve.holds(self.words, self.prints, self.fence, tags)


@dataclass(frozen=True, slots=True)
class FingerprintIndex:
    """What is known of one compartment's text. `check` tells by which secret it was made."""

    compartment: str
    runs: tuple[Run, ...]
    names: frozenset[Restricted]
    check: str

    @classmethod
    def build(
        cls,
        compartment: str,
        texts: Iterable[str],
        key: bytes,
        names: Iterable[str | Restricted] = (),
    ) -> FingerprintIndex:
        """From the compartment's texts and the names restricted to it.

        Raises:
            Refused: a text is no UTF-8 (a lone surrogate) or too big, or a name has no use.
        """
        return cls.of_batches(compartment, _batched(texts), key, names)

    @classmethod
    def of_batches(
        cls,
        compartment: str,
        batches: Iterable[Texts],
        key: bytes,
        names: Iterable[str | Restricted] = (),
    ) -> FingerprintIndex:
        """As `build`, from batches."""
        parts = list(flushed(batches, key))
        prints = parts[0] if len(parts) == 1 else unique(np.concatenate(parts))
        run = Run.ready(prints, sieve.filled(prints))
        restricted = frozenset(Restricted.read(name) for name in names)
        return cls(compartment, (run,), restricted, check_of(key))

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def holds(self, tags: Tags) -> Mask:
        """Which of these tags it has."""
        found = np.zeros(len(tags), dtype=np.bool_)
        for run in self.runs:
            found |= run.holds(tags)
        return found

    def merge(self, other: FingerprintIndex) -> FingerprintIndex:
        """Both indexes of one compartment; the order doesn't matter."""
        if (other.compartment, other.check) != (self.compartment, self.check):
            raise Refused("fingerprints: merge indexes of one compartment and one secret only")
        prints = np.concatenate([run.prints for run in (*self.runs, *other.runs)])
        return replace(self, runs=(Run.of(prints),), names=self.names | other.names)

    def split(self, shards: int) -> list[FingerprintIndex]:
        """By ranges of tags, for processes that share the work; the first keeps the names.

        A detector over all of them answers as one over this does.
        """
        edges = [number * 2**64 // shards for number in range(1, shards)]
        cuts = np.array(edges, dtype=np.uint64)
        parts = [np.split(run.prints, np.searchsorted(run.prints, cuts)) for run in self.runs]
        return [
            replace(
                self,
                runs=(Run.of(np.concatenate([part[shard] for part in parts])),),
                names=self.names if shard == 0 else frozenset(),
            )
            for shard in range(shards)
        ]

    def save(self, path: Path, key: bytes) -> None:
        """Into a folder (`shelf`), in place of what is there."""
        from halocline_governance.detect.segregation import shelf

        shelf.write(path, self, key)

    @classmethod
    def load(cls, path: Path, key: bytes) -> FingerprintIndex:
        """What `save` wrote, mapped into memory. Raises `Refused` on anything else."""
        from halocline_governance.detect.segregation import shelf

        return shelf.read(path, key)


def check_of(secret: bytes) -> str:
    """What tells one secret from another, and nothing more of it."""
    return prf.derived(secret, "check", 8).hex()


def unique(tags: Tags) -> Tags:
    """Sorted, each once."""
    tags = np.sort(tags)
    return tags[np.concatenate([[True], tags[1:] != tags[:-1]])] if len(tags) else tags


def flushed(batches: Iterable[Texts], secret: bytes) -> Iterator[Tags]:
    """The tags of the texts, unique within each part; a part has some 16 million at first."""
    order, key = windows.order(secret), prf.key_of(secret, "text")
    held: list[Tags] = []
    count = 0
    for batch in batches:
        if batch.bad:
            raise Refused(f"fingerprints: a text is {next(iter(batch.bad.values()))}")
        for piece in pieces(batch):
            made = form(piece.data, piece.offsets)
            places = windows.chosen(made.codes, made.firsts, order, True).places
            held.append(prf.tags(made.room, places, windows.WIDTH, key))
            count += len(places)
            if count >= _FLUSH:
                yield unique(np.concatenate(held))
                held, count = [], 0
    yield unique(np.concatenate([np.zeros(0, dtype=np.uint64), *held]))


def _batched(texts: Iterable[str]) -> Iterator[Texts]:
    part: list[str] = []
    size = 0
    for text in chain(texts):
        part.append(text)
        size += len(text)
        if size >= _BATCH_BYTES:
            yield Texts.of(part)
            part, size = [], 0
    yield Texts.of(part)


def merged(runs: Sequence[Run], most: int) -> Iterator[Tags]:
    """The tags of all runs, sorted, each once, in parts for which about `most` are read at once."""
    shards = max(1, -(-sum(map(len, runs)) // most))
    cuts = np.array([number * 2**64 // shards for number in range(1, shards)], dtype=np.uint64)
    ends = [
        np.concatenate([[0], np.searchsorted(run.prints, cuts), [len(run)]]).astype(np.int64)
        for run in runs
    ]
    for shard in range(shards):
        yield unique(
            np.concatenate(
                [run.prints[e[shard] : e[shard + 1]] for run, e in zip(runs, ends, strict=True)]
            )
        )
