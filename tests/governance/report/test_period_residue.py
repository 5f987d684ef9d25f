"""What a report says of personal data left in curated texts is what lies there, and no more."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from scipy import stats

from halocline_governance.detect import pii
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.errors import Refused
from halocline_governance.records import Kind
from halocline_governance.report import period
from halocline_governance.report.period import recheck, residue, verify
from halocline_governance.report.period.content import MLFLOW
from tests.governance.report.test_period_report import part
from tests.governance.report.test_period_verify import attested

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.governance.report.conftest import World

CURATED = "curated.documents"
LEFT = ("ask jo@example-bank.com", "call +44 20 7946 0958 or mail jo@example-bank.com", "no", "")


def texts(world: World, said: Sequence[str], start: int) -> None:
    """Curated rows with these texts, as somebody with the files may leave them there."""
    world.documents(1, start=start)
    with world.lake.lease("buy", CURATED) as place:
        table = DeltaTable(place.uri).to_pyarrow_table()
        row = next(one for one in table.to_pylist() if one["row_uid"] == start)
        made = [{**row, "row_uid": start + n + 1, "text": text} for n, text in enumerate(said)]
        write_deltalake(place.uri, pa.Table.from_pylist(made, schema=table.schema), mode="append")


def measured(document: period.Document) -> list[dict[str, Any]]:
    """The rows of the report that tell it."""
    return part(document, "lists", "residue")["rows"]


def test_what_is_counted_is_what_a_scan_finds(told: World, rng: random.Random) -> None:
    said = [rng.choice(LEFT) for _ in range(30)]
    texts(told, said, 100)

    document = told.period_document()

    verdicts = [PiiDetector().scan(text) for text in [*said, *["t"] * 7]]
    kinds = sum((Counter(one.findings) for one in verdicts), Counter[str]())
    now, trained = measured(document)
    assert now == {
        "what": "all that was read, buy:curated.documents version 2",
        "rows": 37, "scanned": 37, "unscanned": 0,
        "with_findings": sum(one.status == "found" for one in verdicts),
        "at_most": sum(one.status == "found" for one in verdicts),
        "kinds": ", ".join(f"{name} {kinds[name]}" for name in sorted(kinds)),
        "detector": pii.PiiDetector(pii.PERSONAL).id, "proofs": now["proofs"],
    }  # fmt: skip
    assert (trained["rows"], trained["with_findings"], trained["kinds"]) == (6, 0, "none")
    dsv_id = part(document, "lists", "datasets")["rows"][0]["dsv_id"]
    assert trained["what"] == f"{dsv_id}, buy:curated.documents version 0"
    assert document.content["limits"] == [
        MLFLOW,
        f"Personal data left in curated texts that {residue.detector()} cannot find:"
        f" {'; '.join(pii.LIMITS)}",
    ]


def test_no_value_and_no_text_leaves(told: World) -> None:
    texts(told, LEFT, 100)
    paths = told.of_period()
    journal = json.dumps([entry.event for entry in told.entries()])
    for kept in (paths.json.read_text(), paths.html.read_text(), journal):
        assert "example-bank" not in kept
        assert "946 0958" not in kept


def test_it_is_measured_again_from_the_same_versions(told: World) -> None:
    texts(told, LEFT, 100)
    first = told.of_period()
    document = period.Document.parse(first.json.read_bytes())
    texts(told, LEFT, 200)

    again = told.of_period(folder="again", earlier=document)
    found = recheck.with_lake(document, told.period_sources, told.officer)

    for kind in ("json", "html", "pdf"):
        assert getattr(again, kind).read_bytes() == getattr(first, kind).read_bytes()
    assert (found.faults, found.open) == ([], {})


def test_a_large_version_is_sampled_the_same_way_by_everybody(told: World) -> None:
    num = residue.MOST + 500
    texts(told, ["t"] * (num - 300) + [LEFT[0]] * 300, 1000)

    document = told.period_document()

    row = measured(document)[0]
    assert (row["rows"], row["scanned"]) == (num + 7, residue.MOST)
    assert 200 < row["with_findings"] < 300
    exact = stats.beta.ppf(0.95, row["with_findings"] + 1, row["scanned"] - row["with_findings"])
    assert row["at_most"] == int(exact * row["rows"]) + 1
    assert row["at_most"] >= 300
    assert recheck.with_lake(document, told.period_sources, told.officer).faults == []


@pytest.mark.parametrize("num", [0, 1, 40])
def test_rows_that_cannot_be_scanned_are_none_without_findings(num: int) -> None:
    class Blind(PiiDetector):
        """Fails on some texts."""

        def find_batch(self, texts: Texts) -> Any:
            raise ValueError(texts.text(0))

    found = residue.Found(Blind(), {})
    for at in range(num):
        found.add({"text": f"{at}"})
    assert (found.scanned, found.unscanned, found.at_most(num)) == (0, num, num)
    assert found.at_most(100 * num) in {100 * num}


def changed(document: period.Document, change: Callable[[dict[str, Any]], None]) -> Any:
    content = period.Document.parse(document.dumps().encode()).content
    for figure in content["figures"]:
        if "residue" in figure:
            change(figure["residue"])
    return dict(content)


def test_figures_that_were_not_measured_are_found(told: World) -> None:
    """Who can write to the journal attests other numbers: only the texts tell."""
    texts(told, LEFT, 100)
    document = told.period_document()

    def less(found: dict[str, Any]) -> None:
        found |= {"with_findings": 0, "at_most": 0, "kinds": {}}

    forged = attested(told, document, changed(document, less))
    assert any(
        "fingerprint record" in fault for fault in verify.verify(forged, told.signer.trust).faults
    )
    listed = period.Document.parse(document.dumps().encode())
    rows = part(listed, "lists", "residue")["rows"]
    rows[0]["with_findings"] = 0
    forged = attested(told, document, dict(listed.content))
    assert verify.verify(forged, told.signer.trust).faults == [
        "residue row 0: the records it cites say something else"
    ]


def test_other_texts_under_the_version_are_found(told: World) -> None:
    """The ids and hashes of rows stay, one text does not."""
    texts(told, LEFT, 100)
    document = told.period_document()
    for file in told.lake.path("buy", CURATED).glob("*.parquet"):
        put(file)

    found = recheck.with_lake(document, told.period_sources, told.officer)

    assert [fault.partition(", ")[2] for fault in found.faults] == [
        "figures differs", "section data differs"
    ]  # fmt: skip


def put(file: Path) -> None:
    """Other texts in a file of the table, and its new size in the table's log."""
    import pyarrow.parquet as pq

    size, table = file.stat().st_size, pq.read_table(file)
    rows = [{**row, "text": row["text"].replace("jo@", "jo ")} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
    for log in file.parent.glob("_delta_log/*.json"):
        told = log.read_text()
        if file.name in told:
            log.write_text(told.replace(f'"size":{size}', f'"size":{file.stat().st_size}'))


def test_another_detector_is_told_and_is_no_pass(told: World) -> None:
    """A report that another detector's release made."""
    texts(told, LEFT, 100)
    other = period.Document.parse(told.period_document().dumps().encode())
    figures = [one for one in other.content["figures"] if "residue" in one]
    for figure, row in zip(figures, measured(other), strict=True):
        figure["residue"] |= {"detector": "pii@0", "with_findings": 99}
        record = {name: figure[name] for name in figure if name not in ("sums", "proofs")}
        told.append(Kind.FINGERPRINT, record)
        proof = told.entries()[-1].proof()
        figure["proofs"] = [proof]
        row |= {"detector": "pii@0", "with_findings": 99, "proofs": [proof]}
    other.content["limits"][1] = other.content["limits"][1].replace(residue.detector(), "pii@0")

    found = recheck.with_lake(other, told.period_sources, told.officer)

    assert found.faults == []
    assert "pii@0 measured: that cannot be recomputed" in found.open["detector"]
    with pytest.raises(Refused, match="measured with pii@0"):
        told.of_period(folder="again", earlier=other)
