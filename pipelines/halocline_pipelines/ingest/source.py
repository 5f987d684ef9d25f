"""What is ingested: a source with its licence and label, and the documents it yields.

A licence or a label that nobody declared is None, which no gate lets through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from halocline_governance.label import Label


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `text` is None exactly if it could not be read, and `error` says why.

    Args:
        external_id: names it within its source, the same at every reading.
        text: its text; not in the repr.
        error: why there is no text; never a part of the content.
        subject: whom it is about, in clear; only a keyed pseudonym of it is kept.
    """

    external_id: str
    text: str | None = field(default=None, repr=False)
    error: str | None = None
    subject: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.text is None) == (self.error is None):
            raise ValueError("a document has either a text or an error")


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents come from. `documents` may be called more than once.

    Args:
        name: the source's name.
        licence: as declared.
        label: what every document of it is.
        documents: reads them.
        crossing: the open crossing in whose compartment they are to lie; for a label that spans
            its walls, and no other.
    """

    name: str
    licence: str | None
    label: Label | None
    documents: Callable[[], Iterator[Document]] = field(repr=False)
    crossing: str | None = None
