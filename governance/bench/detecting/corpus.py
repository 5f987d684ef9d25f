"""Real text to measure speed on: SEC filings where they are, else text of the same make-up.

Filings are no part of the project: `BENCH_FILINGS` names the Parquet file (a column `text`), or it
stands beside the clone under `shared/data`. The generated corpus has their share of prose, tables
and blank space, and about as little personal data in it.
"""

import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from bench.detecting import blindset, values

ROOT = Path(__file__).resolve().parents[3]
_BESIDE = ROOT.parent / "shared" / "data" / "filings.parquet"


def filings(megabytes: float, seed: int = 1) -> tuple[str, pa.Array]:
    """What it is, and about that many MB of documents as an Arrow array of strings."""
    path = Path(os.environ.get("BENCH_FILINGS") or _BESIDE)
    if not path.exists():
        return "generated filings", pa.array(generated(megabytes, seed), pa.large_string())
    column = pq.read_table(path, columns=["text"]).column("text").cast(pa.large_string())
    sizes = [len(value.as_py().encode()) for value in column]
    taken, rows = 0, 0
    while rows < len(sizes) and taken < megabytes * 1e6:
        taken, rows = taken + sizes[rows], rows + 1
    return path.name, column.slice(0, rows).combine_chunks()


def generated(megabytes: float, seed: int) -> list[str]:
    """Documents of some 500 kB: lines drawn from a pool of a few thousand."""
    rng = random.Random(f"corpus {seed}")
    pool = [_line(rng) for _ in range(6_000)]
    found = blindset.templates()
    documents: list[str] = []
    size = 0
    while size < megabytes * 1e6:
        lines: list[str] = []
        room = int(min(500_000, megabytes * 1e6 - size)) + 1
        while room > 0:
            line = rng.choice(pool)
            if rng.random() < 0.002:
                line = blindset.rendered(rng, rng.choice(found["phrases"]))[0]
            lines.append(line)
            room -= len(line) + 1
        documents.append("\n".join(lines))
        size += len(documents[-1].encode())
    return documents


def _line(rng: random.Random) -> str:
    """Half prose, a third tables set with spaces, the rest headings and blank lines."""
    form = rng.random()
    if form < 0.5:
        return values.filler(rng, "prose", "en_US")[:100]
    if form < 0.83:
        label = values.filler(rng, "job", "en_US")[:30]
        return f"{label:<45}{values.filler(rng, 'table', 'en_US'):>60}"
    return (
        " " * rng.randrange(60) if form < 0.93 else values.filler(rng, "company", "en_US").upper()
    )
