"""A text with what stands in it: kinds and character offsets, read from and written to JSONL.

Knows no detector. A span of kind `ignore` asks nothing: what is found there counts neither way.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IGNORE = "ignore"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A kind from `start` to `end`, end excluded, in characters."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Document:
    """One text and its marks; `origin` says which part of a set it belongs to."""

    id: str
    text: str
    marks: tuple[Mark, ...]
    origin: str = ""

    def as_json(self) -> dict[str, Any]:
        spans = [{"kind": m.kind, "start": m.start, "end": m.end} for m in self.marks]
        return {"id": self.id, "text": self.text, "spans": spans}


def write(path: Path, documents: Iterable[Document]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps(document.as_json(), ensure_ascii=False) + "\n")


def read(path: Path, names: Mapping[str, str] | None = None) -> list[Document]:
    """Lines `{"id","text","spans":[{"kind","start","end"}]}`, or a JSON list of the kind that
    presidio-research keeps (`full_text`, `entity_type`, `start_position`). `names` maps its kinds
    to ours; one mapped to the empty string is left out. Raises `ValueError` on anything else."""
    whole = path.read_text(encoding="utf-8")
    listed: Any = (
        json.loads(whole)
        if whole.lstrip().startswith("[")
        else [json.loads(line) for line in whole.splitlines() if line.strip()]
    )
    return [_document(number, row, names or {}) for number, row in enumerate(listed)]


def _document(number: int, row: Any, names: Mapping[str, str]) -> Document:
    text = row.get("text", row.get("full_text"))
    if not isinstance(text, str):
        raise ValueError(f"document {number}: give text and spans")
    marks: list[Mark] = []
    for span in row.get("spans", []):
        kind = span.get("kind", span.get("entity_type", span.get("label")))
        start = span.get("start", span.get("start_position"))
        end = span.get("end", span.get("end_position"))
        if kind is None or not 0 <= start <= end <= len(text):
            raise ValueError(f"document {number}: a span lacks its kind or lies outside the text")
        if mapped := names.get(kind, kind):
            marks.append(Mark(int(start), int(end), mapped))
    return Document(str(row.get("id", number)), text, tuple(sorted(marks)))
