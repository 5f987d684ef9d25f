"""After a source is erased, Spark goes on with what is left, and decides its duplicates anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.room import ErasureRoom, Site
from halocline_governance.label import Label, join
from halocline_governance.lineage import Lineage
from halocline_governance.principal import Principal
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_pipelines.curate import curate
from halocline_pipelines.dedup.minhash import shingles, words
from halocline_pipelines.ingest.run import ingest
from halocline_pipelines.ingest.source import Document
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import english
from halocline_pipelines.recipes.firm import FirmConfig, generate
from tests.governance.erasure_world import everything
from tests.pipelines.conftest import SECRET, sound
from tests.pipelines.test_curate import CURATED, RAW, buy_side, rows, source

pytestmark = [pytest.mark.spark, pytest.mark.soak]

FAR = 0.3
"""Duplicates are those that a signature's 112 minima estimate at 0.7: nine deviations away."""


def documents(seed: int) -> list[str]:
    """Three texts that the recipe keeps, no two of them alike, whatever the seed."""
    firm = generate(FirmConfig(seed=seed, share_exact=0, share_near=0))
    chosen: list[str] = []
    for text in sound(buy_side(firm)):
        if all(overlap(text, one) < FAR for one in chosen):
            chosen.append(text)
        if len(chosen) == 3:
            return chosen
    raise AssertionError("the firm has not three such texts")


def overlap(left: str, right: str) -> float:
    """Exact Jaccard similarity of what the recipe compares: n-grams of words."""
    size = english().minhash.shingle_words
    one, two = (set(shingles(words(text), size).tolist()) for text in (left, right))
    return len(one & two) / len(one | two)


def own_words(text: str, *others: str) -> bytes:
    """Forty letters of a text that are in no other."""
    slices = (text[at : at + 40] for at in range(len(text)))
    return next(
        one for one in slices
        if one.isascii() and one.isprintable() and '"' not in one and one not in "".join(others)
    ).encode()  # fmt: skip


def erase(job: Job, what: What, *names: str) -> None:
    site = Site(
        job.lake, job.lake.root.parent / "journal", job.gates.journal, Lineage(job.lake),
        none_withdrawn,
    )  # fmt: skip
    room = ErasureRoom(site)
    known = [
        label for place in job.lake.compartments() for label in job.lake.labels(place).values()
    ]
    cleared = join(known) | Label("restricted")
    cleo, omar = (Principal(name, ("compliance",), cleared) for name in ("cleo", "omar"))
    order = Order(f"e-{len(room.all()):010x}", what, names, "request 118", cleo.subject)
    room.request(cleo, order)
    room.approve(omar, order.id)
    assert room.run(omar, order.id)["state"] == "done"


def none_withdrawn(*_: object) -> None:
    """The gate's list is tested elsewhere."""


def test_what_an_erased_document_had_driven_out_comes_in(
    job: Job, narrowed: Callable[[Job, str], Job], tmp_path: Path, seed: int
) -> None:
    same, other, hers = documents(seed)
    ingest(job, [source("first", Document("1", same), Document("2", other))])
    buy = narrowed(job, "buy")
    curate(buy, "buy", english())
    third = source("third", Document("4", hers, subject="Jane Doe"))
    ingest(job, [source("second", Document("3", same)), third])
    curate(buy, "buy", english())
    before = sorted(str(row["source"]) for row in rows(buy, "buy", CURATED))
    assert before == ["first", "first", "third"], "the second is a duplicate of what is there"

    erase(job, What.SOURCE, "first")
    erase(job, What.SUBJECT, PseudonymKey.derive(SECRET, "buy").subject_key("jane doe"))
    curate(buy, "buy", english())

    for table in (RAW, CURATED):
        assert [row["source"] for row in rows(buy, "buy", table)] == ["second"], table
    told = [data for _, data in everything(tmp_path / "lake")]
    for text, others in ((other, (same, hers)), (hers, (same, other))):
        assert not [data for data in told if own_words(text, *others) in data]
    assert [data for data in told if own_words(same, other, hers) in data]
