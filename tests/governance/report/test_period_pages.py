"""What people are shown of a period's report: the same in HTML and PDF, and findable."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pypdfium2

from halocline_governance.gates import Gate
from halocline_governance.records import Kind
from halocline_governance.report import period
from halocline_governance.report.period import chart
from halocline_governance.report.period.html import titles

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

HOSTILE = "<b>&\u0007\u202e日]]></svg>"


def test_pages_tell_what_the_content_says(told: World) -> None:
    told.ask(Gate.PROMOTE, approvals=[])
    told.append(Kind.TRAIN, {"run_id": f"run {HOSTILE} Отчёт"})
    paths = told.of_period()
    content = period.Document.parse(paths.json.read_bytes()).content
    html, pages = paths.html.read_text(), read(paths.pdf.read_bytes())
    paper = "\n".join(pages)

    names = titles(content)
    assert all(f'id="{name}"' in html for name in names)
    assert set(re.findall(r'href="#(\w+)"', html)) == set(names)
    for title in names.values():
        number = re.search(rf"{re.escape(title)}[ .]*(\d+)", pages[1])
        assert number, title
        assert title in pages[int(number[1]) - 1]
    root = content["journal"]["heads"][0]["root"]
    assert root in paper.replace("\n", "").replace("\r", "")
    assert content["installation"]["keys"][0]["sha256"] in pages[0].replace("\r\n", "")
    assert "halocline report verify REPORT.json" in pages[0]
    assert "Отчёт" in paper
    assert "[U+65E5]" in paper
    assert "日" in html
    assert "\u202e" not in html + paper
    for part in content["sections"]:
        for one in part["lists"]:
            for row in one["rows"]:
                for proof in row["proofs"]:
                    place = f"{proof['log']}/{proof['seq']}"
                    assert place in html
                    assert place in paper


def test_charts_are_whole_and_in_their_frame(rng: random.Random) -> None:
    for _ in range(100):
        days = rng.choice([1, 30, 92, 93, 400])
        scope = {"from": "2026-01-01T00:00:00.000000Z", "to": later(days)}
        rows: list[dict[str, Any]] = [
            {
                "day": later(rng.randrange(days))[:10],
                "outcome": rng.choice(["released", "held", HOSTILE, "odd"]),
                "outputs": rng.choice([1, 10**9]),
            }
            for _ in range(rng.randrange(1, 40))
        ]
        told = {"title": HOSTILE, "chart": "stack", "rows": rows}
        drawn = chart.chart(told, scope)
        assert drawn is not None
        ET.fromstring(chart.svg(drawn))
        bars = [mark for mark in drawn.marks if not mark.text]
        assert all(0 <= mark.x <= chart.WIDTH - mark.width + 1 for mark in bars)
        assert all(0 <= mark.y <= drawn.height - mark.height for mark in bars)
        highest = max(mark.height for mark in bars if mark.width != mark.height)
        assert highest > 0


def read(data: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(data)
    return [page.get_textpage().get_text_range() for page in document]


def later(days: int) -> str:
    from datetime import date, timedelta

    return f"{date(2026, 1, 1) + timedelta(days=days)}T00:00:00.000000Z"
