"""What a file holds, by its name or as its reader is told, and how files are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from halocline_governance.errors import Refused
from halocline_infra.detecting.batches import FAST, Size
from halocline_infra.detecting.encodings import known
from halocline_infra.detecting.record import Fields

FORMS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".txt": "text",
    ".md": "text",
    ".log": "lines",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
PACKED = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    Args:
        form: of every file, whatever its name: jsonl, json, text, lines, csv, tsv or parquet.
        text_column, id_column: of tables and of JSON's records.
        encoding: of every file; None where a byte-order mark may say it, else UTF-8.
        size: of the biggest batch.

    Raises:
        Refused: no such form, no such encoding.
    """

    form: str | None = None
    text_column: str = "text"
    id_column: str = "id"
    encoding: str | None = None
    size: Size = FAST

    def __post_init__(self) -> None:
        if self.form is not None and self.form not in FORMS.values():
            raise Refused(f"--form is one of {', '.join(dict.fromkeys(FORMS.values()))}")
        if self.encoding is not None:
            object.__setattr__(self, "encoding", known(self.encoding))

    @property
    def fields(self) -> Fields:
        """Which fields of a record are read."""
        return Fields(self.text_column, self.id_column)

    def form_of(self, path: Path) -> str | None:
        """What it holds; of a compressed file, what the name before `.gz` says."""
        if self.form is not None:
            return self.form
        inner = Path(path.stem) if path.suffix.lower() in PACKED else path
        return FORMS.get(inner.suffix.lower())
