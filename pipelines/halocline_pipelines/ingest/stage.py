"""Accepted rows of one compartment on their way into `raw.documents`.

They wait in a Parquet file in the compartment's folder on this machine, wherever its tables lie, so
that memory is bounded and no other compartment's folder ever holds them. The caller holds the
table's lease.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.lake import Lake
from halocline_governance.records import row_uid
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_pipelines.ingest.report import Quarantined
from halocline_pipelines.ingest.source import Document, Source

if TYPE_CHECKING:
    import pyarrow as pa

RULE = "readable@1"
RECIPE = "ingest"
_GROUP_BYTES = 8 * 1024 * 1024


class Stage:
    """Rows, quarantined documents and their counts, for one compartment and run."""

    def __init__(self, lake: Lake, compartment: str, run_id: str, key: PseudonymKey) -> None:
        import pyarrow.parquet as pq

        self.compartment = compartment
        self.labels: dict[int, str] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.quarantined: list[Quarantined] = []
        self._run_id = run_id
        self._key = key
        self._schema = tables.table("raw.documents").arrow()
        self._folder = lake.work(compartment, "staging")
        self.clear()
        self._folder.mkdir(mode=0o700)
        self._writer = pq.ParquetWriter(self.file, self._schema)
        self._rows: list[dict[str, Any]] = []
        self._decisions: list[dict[str, Any]] = []
        self._num_bytes = 0

    @property
    def file(self) -> Path:
        return self._folder / "documents.parquet"

    def add(self, source: Source, licence: str, label_id: str, decision_id: str) -> None:
        """Read a source that the gate let in, under the licence it chose."""
        told: dict[str, Any] = {
            "label_id": label_id,
            "decision_id": decision_id,
            "rows": 0,
            "quarantined": 0,
        }
        self.sources[source.name] = told
        for document in source.documents():
            reason = document.error or _undecodable(document)
            if reason is None:
                told["rows"] += self._row(source, licence, label_id, document)
            else:
                told["quarantined"] += 1
                self._quarantine(source, label_id, document, reason)

    def close(self) -> None:
        """No more sources: the file is whole."""
        self._flush()
        self._writer.close()

    def clear(self) -> None:
        """Remove the file, this one's or one that a killed run left."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def decisions(self, policy_revision: str) -> pa.Table:
        """The ledger rows of what is in quarantine."""
        import pyarrow as pa

        schema = tables.table("curation.decisions").arrow()
        rows = [{**row, "policy_revision": policy_revision} for row in self._decisions]
        return pa.Table.from_pylist(rows, schema=schema)

    def _row(self, source: Source, licence: str, label_id: str, document: Document) -> bool:
        data = (document.text or "").encode()
        sha256 = hashlib.sha256(data).hexdigest()
        uid = row_uid(self.compartment, source.name, document.external_id, sha256)
        if uid in self.labels:
            return False
        self.labels[uid] = label_id
        subject = document.subject
        self._rows.append(
            {
                "row_uid": uid,
                "label_id": label_id,
                "source": source.name,
                "external_id": document.external_id,
                "licence": licence,
                "content_sha256": sha256,
                "subject_keys": [self._key.subject_key(subject)] if subject else [],
                "text": document.text,
                "run_id": self._run_id,
            }
        )
        self._num_bytes += len(data)
        if self._num_bytes >= _GROUP_BYTES:
            self._flush()
        return True

    def _quarantine(self, source: Source, label_id: str, document: Document, reason: str) -> None:
        self.quarantined.append(Quarantined(source.name, document.external_id, reason))
        self._decisions.append(
            {
                "row_uid": row_uid(self.compartment, source.name, document.external_id, reason),
                "label_id": label_id,
                "source": source.name,
                "outcome": "quarantined",
                "reason": reason,
                "rule": RULE,
                "kept_uid": None,
                "recipe": RECIPE,
                "run_id": self._run_id,
            }
        )

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._num_bytes = [], 0


def _undecodable(document: Document) -> str | None:
    try:
        (document.text or "").encode()
        document.external_id.encode()
    except UnicodeEncodeError:
        return "not Unicode text"
    return None
