"""The letters of a PDF: a font shipped with what is installed already, and what it cannot write."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DEJAVU = ("matplotlib", "mpl-data/fonts/ttf", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_VERA = ("reportlab", "fonts", "Vera.ttf", "VeraBd.ttf")


@dataclass(frozen=True, slots=True)
class Font:
    """Two faces, registered with reportlab, and the characters that both have."""

    plain: str
    bold: str
    known: frozenset[int]

    def write(self, text: str) -> str:
        """The text as markup; a character without a letter is told by its code point."""
        from xml.sax.saxutils import escape

        return escape("".join(self._one(character) for character in text))

    def plainly(self, text: str) -> str:
        """As `write`, for a drawing, which knows no markup."""
        return "".join(self._one(character) for character in text)

    def _one(self, character: str) -> str:
        if character in "\n\t":
            return " "
        is_plain = ord(character) in self.known and character.isprintable()
        return character if is_plain else f"[U+{ord(character):04X}]"


@cache
def font() -> Font:
    """DejaVu Sans where matplotlib is installed (Latin, Greek, Cyrillic, Arabic, Hebrew and more),
    else the Vera that comes with reportlab (Latin)."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    package, folder, *files = _DEJAVU if importlib.util.find_spec("matplotlib") else _VERA
    place = importlib.util.find_spec(package)
    assert place is not None
    assert place.origin is not None
    faces = [
        TTFont(f"Report-{name}", str(Path(place.origin).parent / folder / name)) for name in files
    ]
    for face in faces:
        pdfmetrics.registerFont(face)
    glyphs: list[Mapping[int, int]] = [face.face.charToGlyph for face in faces]
    both = frozenset(glyphs[0]) & frozenset(glyphs[1])
    return Font(faces[0].fontName, faces[1].fontName, frozenset(c for c in both if c >= ord(" ")))
