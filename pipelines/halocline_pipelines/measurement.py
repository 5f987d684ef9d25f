"""The one pass over the text, on Spark: documents in, assessments out, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_pipelines.assessment import Assessor

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_COPIED = ("row_uid", "label_id", "source", "licence", "subject_keys")
_SPANS = "array<struct<start:int,end:int,kind:string>>"
_DDL = (
    "row_uid long, label_id string, source string, licence string, subject_keys array<string>,"
    " outcome string, reason string, rule string, language string, content_sha256 string,"
    " num_pii int, text string, digest binary, bands binary, signature binary,"
    f" signals array<struct<rule:string,value:double,spans:{_SPANS}>>"
)
_MADE = (
    "outcome",
    "reason",
    "rule",
    "language",
    "content_sha256",
    "num_pii",
    "text",
    "digest",
    "bands",
    "signature",
)


@dataclass(frozen=True, slots=True)
class Measuring:
    """For `mapInArrow`; an assessor travels to the workers once a task."""

    assessor: Assessor

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        schema = _schema()
        for batch in batches:
            yield pa.RecordBatch.from_pylist(list(self._rows(batch)), schema=schema)

    def _rows(self, batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
        from halocline_governance.detect.batch import Texts

        rows = batch.select(_COPIED).to_pylist()
        assessments = self.assessor.assess_batch(Texts.of_arrow(batch["text"]))
        for row, assessment in zip(rows, assessments, strict=True):
            yield {
                **{name: row[name] for name in _COPIED},
                **{name: getattr(assessment, name) for name in _MADE},
                "signals": [
                    {
                        "rule": signal.rule,
                        "value": signal.value,
                        "spans": [
                            {"start": span.start, "end": span.end, "kind": span.kind}
                            for span in signal.spans
                        ],
                    }
                    for signal in assessment.signals
                ],
            }


def measure(documents: DataFrame, assessor: Assessor) -> DataFrame:
    """Assess each document, on every core there is."""
    cores = documents.sparkSession.sparkContext.defaultParallelism
    if documents.rdd.getNumPartitions() < cores:
        documents = documents.repartition(cores)
    return documents.select(*_COPIED, "text").mapInArrow(Measuring(assessor), _DDL)


def _schema() -> pa.Schema:
    import pyarrow as pa

    spans = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("kind", pa.string())]))
    signal = pa.struct([("rule", pa.string()), ("value", pa.float64()), ("spans", spans)])
    types = {
        "row_uid": pa.int64(),
        "subject_keys": pa.list_(pa.string()),
        "num_pii": pa.int32(),
        "digest": pa.binary(),
        "bands": pa.binary(),
        "signature": pa.binary(),
        "signals": pa.list_(signal),
    }
    return pa.schema(
        [(name, types.get(name, pa.string())) for name in (*_COPIED, *_MADE, "signals")]
    )
