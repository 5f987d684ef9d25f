"""A batch scrubbed in one rewrite says of each row what the text face says of its text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.errors import Refused
from halocline_governance.scrub import Mode, Scrubbed, Scrubber, Scrubbing
from halocline_governance.scrub.column import NOT_ASKED
from tests.governance.scrub_world import DETECTORS, KEY, SOUP, scrubber, vault


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> list[Scrubber]:
    held = vault(tmp_path_factory.mktemp("column"))
    strict = Scrubber(DETECTORS, KEY, Scrubbing(max_spans=1))
    return [strict, *(scrubber(mode, held) for mode in Mode)]


@settings(max_examples=60)
@given(rows=st.lists(st.one_of(SOUP, st.just("plain")), max_size=8), data=st.data())
def test_each_row_is_what_the_text_face_makes_of_it(
    every: list[Scrubber], rows: list[str], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(every))

    batch = one.scrub_batch(Texts.of(rows))

    alone = [one.scrub(text) for text in rows]
    assert list(batch) == alone
    assert batch.array().to_pylist() == [row.text for row in alone]
    batch.array().validate(full=True)
    assert set(batch.changed) == {
        row for row, scrubbed in enumerate(alone) if scrubbed.count or scrubbed.dropped
    }


def test_what_cannot_be_scanned_is_withheld_and_says_why() -> None:
    texts = Texts.of([b"\xff", b"jo@corp.example", b"", b"x"])

    batch = scrubber(Mode.KIND).scrub_batch(texts)

    assert batch.withheld == texts.bad == {0: "undecodable: not UTF-8"}
    assert batch.array().to_pylist() == [None, "<email>", "", "x"]
    with pytest.raises(Refused, match="undecodable"):
        batch.row(0)


def test_a_column_of_arrow_keeps_its_nulls_and_its_slices() -> None:
    column = pa.array(["gone", "jo@corp.example", None, "plain", "8.8.8.8"]).slice(1)

    batch = scrubber(Mode.KIND).scrub_batch(Texts.of_arrow(column))

    assert batch.array().to_pylist() == ["<email>", None, "plain", "<ip>"]


def test_only_rows_that_are_wanted_come_out() -> None:
    batch = scrubber(Mode.KIND).scrub_batch(Texts.of(["a", "jo@corp.example", "b"]), only=[1])

    assert list(batch) == [None, Scrubbed("<email>", {"email": 1}, batch.row(1).map), None]
    assert set(batch.withheld.values()) == {NOT_ASKED}


def test_verdicts_about_other_texts_are_refused() -> None:
    texts, others = Texts.of(["jo@corp.example"]), Texts.of(["jo@corp.example"])
    for said in ([one.scan_batch(others) for one in DETECTORS], [DETECTORS[0].scan_batch(texts)]):
        with pytest.raises(Refused, match="another text"):
            scrubber(Mode.KIND).scrub_batch(texts, said)


def test_rows_without_findings_cost_no_python_each() -> None:
    """A million plain rows and three others: what is done by row is done for three."""
    rows = ["plain"] * 200_000
    for at in (0, 77_777, 199_999):
        rows[at] = "jo@corp.example"
    texts = Texts.of(rows)
    one = scrubber(Mode.KIND, detectors=())
    found = scrubber(Mode.KIND, detectors=DETECTORS[1:])

    assert one.scrub_batch(texts).changed == {}
    assert found.scrub_batch(texts, [DETECTORS[1].scan_batch(texts)]).data == texts.data.tobytes()
