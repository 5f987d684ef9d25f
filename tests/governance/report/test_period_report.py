"""A report of a period: complete, provable from itself, and the same bytes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halocline_governance.report import period
from halocline_governance.report.period import verify

if TYPE_CHECKING:
    from tests.governance.report.conftest import World


def test_it_verifies_from_itself_and_the_key(told: World) -> None:
    paths = told.of_period()
    document = period.Document.parse(paths.json.read_bytes())

    found = verify.verify(
        document, told.signer.trust, paths.html.read_bytes(), paths.pdf.read_bytes()
    )

    assert found.faults == []
    assert len(found.open) == 2


def test_the_journal_gives_it_again(told: World) -> None:
    document = told.period_document()

    found = verify.verify_with_journal(document, told.signer.trust, told.root / "journal")

    assert found.faults == []


def test_the_lake_gives_it_again(told: World) -> None:
    document = told.period_document()
    told.documents(3, start=100)
    told.answer("req-2")

    found = verify.verify_with_lake(document, told.period_sources, told.officer)

    assert found.faults == []


def test_built_again_it_is_the_same_bytes(told: World) -> None:
    first = told.of_period()
    earlier = period.Document.parse(first.json.read_bytes())
    told.documents(3, start=100)
    told.answer("req-2")

    again = told.of_period(folder="again", earlier=earlier)
    now = told.of_period(folder="now")

    for kind in ("json", "html", "pdf"):
        built = [getattr(paths, kind).read_bytes() for paths in (first, again, now)]
        assert built[0] == built[1]
        assert built[0] != built[2]
