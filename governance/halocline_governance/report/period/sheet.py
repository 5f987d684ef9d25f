"""Paragraphs, tables and pages of a PDF, in one look. Knows nothing of reports."""

from __future__ import annotations

import heapq
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from halocline_governance.report.period.chart import WIDTH, Chart
from halocline_governance.report.period.font import Font

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_MARGIN = 40
_INK, _SOFT, _LINE, _WASH = "#16202a", "#5a6875", "#c9d1d9", "#f4f6f8"
_SIZE, _GAP, _AFTER = 7, 10, 8  # of a cell's text, in points
_WORD, _LONGEST = 30, 66  # characters: a hash stands on one line where there is room
_LIKELY = 8  # words of a column whose widths are looked at
_LONELY, _ROOM = 160, 240  # points


class Sheet:
    """Makes the parts of one document, then the document."""

    def __init__(self, letters: Font) -> None:
        from reportlab.lib.pagesizes import A4, landscape
        from reportlab.lib.styles import ParagraphStyle

        self._font = letters
        self._size: tuple[float, float] = landscape(A4)
        self._room = self._size[0] - 2 * _MARGIN

        def style(name: str, size: float, face: str = letters.plain, **more: Any) -> Any:
            leading = size * 1.35
            return ParagraphStyle(name, fontName=face, fontSize=size, leading=leading, **more)

        self._title = style("title", 24, letters.bold, spaceAfter=4)
        self._section = style("section", 15, letters.bold, spaceBefore=16, spaceAfter=6)
        self._heading = style("heading", 10.5, letters.bold, spaceBefore=10, spaceAfter=3)
        self._plain = style("plain", 9, spaceAfter=4)
        self._marked = style(
            "marked", 9, leftIndent=10, borderPadding=(2, 2, 2, 8), backColor=_WASH, spaceAfter=4
        )
        self._soft = style("soft", 8.5, textColor=_SOFT, spaceAfter=4)
        self._cell = style("cell", 7)
        self._right = style("right", 7, alignment=2)
        self._name = style("name", 7, letters.bold, textColor=_SOFT)
        self._name_right = style("name right", 7, letters.bold, textColor=_SOFT, alignment=2)
        self._count = style("count", 13, letters.bold)
        self._code = style(
            "code", 8.5, backColor=_WASH, borderPadding=5, spaceBefore=6, spaceAfter=10
        )
        self._toc = style("toc", 10, leftIndent=0)

    def title(self, text: str, below: str) -> list[Flowable]:
        """The head of the first page."""
        from reportlab.platypus import Spacer

        return [
            Spacer(1, 30),
            self._paragraph(text, self._title),
            self._paragraph(below, self._plain),
            Spacer(1, 10),
        ]

    def contents(self) -> list[Flowable]:
        """A page with the table of contents."""
        from reportlab.platypus import PageBreak
        from reportlab.platypus.tableofcontents import TableOfContents

        contents = TableOfContents(dotsMinLevel=0)
        contents.levelStyles = [self._toc]
        head = self._paragraph("Contents", self._section)
        return [PageBreak(), head, contents, PageBreak()]

    def section(self, text: str) -> list[Flowable]:
        """A heading that the contents name; on a new page when little room is left."""
        from reportlab.platypus import CondPageBreak

        return [CondPageBreak(_ROOM), self._paragraph(text, self._section)]

    def heading(self, text: str, below: float = 0) -> Flowable:
        """The heading of a part, never alone at the foot of a page.

        Args:
            text: what it says.
            below: how high what follows is, in points, if that does not break.
        """
        from reportlab.platypus import CondPageBreak, KeepTogether

        room = min(max(_LONELY, below + _LONELY / 2), self._size[1] - 3 * _MARGIN)
        return KeepTogether([CondPageBreak(room), self._paragraph(text, self._heading)])

    def tiles(self, counts: Sequence[tuple[str, str]]) -> Flowable:
        """Numbers to see at once, each over its name."""
        from reportlab.platypus import Spacer, Table

        if not counts:
            return Spacer(1, 1)
        cells = [
            [self._paragraph(count, self._count) for _, count in counts],
            [self._paragraph(name, self._soft) for name, _ in counts],
        ]
        table = Table(cells, colWidths=[self._room / len(counts)] * len(counts), hAlign="LEFT")
        table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
        return table

    def plain(self, text: str) -> Flowable:
        """A paragraph."""
        return self._paragraph(text, self._plain)

    def soft(self, text: str) -> Flowable:
        """A paragraph that explains."""
        return self._paragraph(text, self._soft)

    def marked(self, texts: Sequence[str]) -> list[Flowable]:
        """Paragraphs that nobody may miss: a line stands beside them."""
        return [self._paragraph(text, self._marked) for text in texts]

    def code(self, text: str) -> Flowable:
        """A command."""
        return self._paragraph(text, self._code)

    def facts(self, rows: Sequence[tuple[str, str]]) -> Flowable:
        """Names and values, one pair a line."""
        from reportlab.platypus import Table

        cells = [
            [self._paragraph(name, self._name), self._paragraph(value, self._cell)]
            for name, value in rows
        ]
        table = Table(cells, colWidths=[130, self._room - 130], spaceAfter=8, hAlign="LEFT")
        table.setStyle(self._lines(0))
        return table

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()
    ) -> Flowable:
        """A table whose cells wrap and whose head stands on each of its pages."""
        from reportlab.platypus import LongTable

        styles = [self._right if at in numbers else self._cell for at in range(len(columns))]
        heads = [self._name_right if at in numbers else self._name for at in range(len(columns))]
        head = [self._paragraph(name, style) for name, style in zip(columns, heads, strict=True)]
        body = [
            [self._paragraph(cell, style) for cell, style in zip(row, styles, strict=True)]
            for row in rows
        ]
        table = LongTable(
            [head, *body],
            colWidths=self._widths(columns, rows, numbers),
            repeatRows=1,
            hAlign="LEFT",
        )
        table.setStyle(self._lines(1))
        table.setStyle([("RIGHTPADDING", (at, 0), (at, -1), 6 + _AFTER) for at in numbers])
        return table

    def drawing(self, chart: Chart) -> Flowable:
        """A chart as vectors."""
        from reportlab.graphics.shapes import Drawing, Rect, String
        from reportlab.lib.colors import HexColor

        drawing = Drawing(WIDTH, chart.height)
        for mark in chart.marks:
            color = HexColor(mark.color)
            if mark.text:
                drawing.add(
                    String(
                        mark.x,
                        chart.height - mark.y,
                        self._font.plainly(mark.text),
                        fontName=self._font.plain,
                        fontSize=8,
                        fillColor=color,
                        textAnchor=mark.anchor,
                    )
                )
                continue
            bottom = chart.height - mark.y - mark.height
            rect = Rect(mark.x, bottom, mark.width, mark.height)
            rect.fillColor, rect.strokeColor = color, None
            drawing.add(rect)
        return drawing

    def build(self, story: Sequence[Flowable], title: str) -> bytes:
        """The document, the same bytes for the same story."""
        from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

        section = self._section

        class Paper(BaseDocTemplate):
            """Tells the contents where sections begin."""

            parts = 0

            def beforeDocument(self) -> None:  # noqa: N802 - reportlab's name
                self.parts = 0

            def afterFlowable(self, flowable: Any) -> None:  # noqa: N802 - reportlab's name
                if getattr(flowable, "style", None) is not section:
                    return
                text = flowable.getPlainText()
                if text == "Contents":
                    return
                self.parts += 1
                key = f"part-{self.parts}"
                self.canv.bookmarkPage(key)
                self.canv.addOutlineEntry(text, key, 0)
                self.notify("TOCEntry", (0, flowable.text, self.page, key))

        made = io.BytesIO()
        document = Paper(
            made,
            pagesize=self._size,
            title=title,
            author="Halocline",
            invariant=1,
            pageCompression=1,
        )
        frame = Frame(
            _MARGIN, _MARGIN, self._room, self._size[1] - 2 * _MARGIN, 0, 0, 0, 0, id="page"
        )

        def foot(canvas: Any, _: Any) -> None:
            canvas.saveState()
            canvas.setFont(self._font.plain, 7.5)
            canvas.setFillColor(_SOFT)
            canvas.drawString(_MARGIN, 22, self._font.plainly(title))
            canvas.drawRightString(self._size[0] - _MARGIN, 22, f"Page {canvas.getPageNumber()}")
            canvas.restoreState()

        document.addPageTemplates([PageTemplate("page", [frame], onPage=foot)])
        document.multiBuild(list(story))
        return made.getvalue()

    def _paragraph(self, text: str, style: Any) -> Flowable:
        from reportlab.platypus import Paragraph

        return Paragraph(self._font.write(text), style)

    def _widths(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]
    ) -> list[float]:
        """By the longest text of each column, within bounds; no word is broken that need not be,
        and a table is no wider than it must be."""
        wanted: list[float] = []
        least: list[float] = []
        for at, name in enumerate(columns):
            texts = [row[at] for row in rows]
            words = {word[:_WORD] for text in texts for word in text.split()}
            longest_words = heapq.nlargest(_LIKELY, words, key=len)  # one of them is the widest
            head = max(self._width(word, self._font.bold) for word in [*name.split(), ""])
            gap = _GAP + _AFTER * (at in numbers)
            least.append(max(head, *map(self._width, [*longest_words, ""])) + gap)
            longest = self._width(max(texts, key=len, default="")[:_LONGEST])
            wanted.append(max(longest, self._width(name, self._font.bold)) + gap)
        wanted = [max(pair) for pair in zip(wanted, least, strict=True)]
        if sum(wanted) <= self._room:
            return wanted
        if sum(least) >= self._room:
            return [self._room * width / sum(least) for width in least]
        spare, asked = self._room - sum(least), sum(wanted) - sum(least)
        return [low + spare * (high - low) / asked for low, high in zip(least, wanted, strict=True)]

    def _width(self, text: str, face: str | None = None) -> float:
        """How wide a cell's text is, in points."""
        from reportlab.pdfbase.pdfmetrics import stringWidth

        return float(stringWidth(self._font.plainly(text), face or self._font.plain, _SIZE))

    def _lines(self, head: int) -> Any:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import TableStyle

        style: list[Any] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_LINE)),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
        if head:
            style.append(("LINEBELOW", (0, 0), (-1, 0), 0.9, HexColor(_INK)))
        return TableStyle(style)
