"""The governed tables: their names and columns, which every component writes and reads by.

Types are a small neutral set (`string long int double binary`, and `array<...>` or `struct<...>`
of them), turned into Arrow on demand, so that reading this list does not load it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from halocline_governance.errors import TableMissing

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table's schema. Governed rows have `row_uid` and `label_id`."""

    name: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def is_governed(self) -> bool:
        return {"row_uid", "label_id"} <= set(self.column_names)

    def arrow(self) -> pa.Schema:
        """The Arrow schema; needs the `lake` extra."""
        import pyarrow as pa

        return pa.schema(
            [pa.field(c.name, _arrow_type(c.type), nullable=c.nullable) for c in self.columns]
        )


def table(name: str) -> Table:
    """The schema of a logical table name.

    Raises:
        TableMissing: no such table exists in this release.
    """
    if name not in TABLES:
        raise TableMissing(f"no table {name}; there are: {', '.join(sorted(TABLES))}")
    return TABLES[name]


def _arrow_type(type_: str) -> pa.DataType:
    import pyarrow as pa

    if type_.startswith("array<"):
        return pa.list_(_arrow_type(type_[6:-1]))
    if type_.startswith("struct<"):
        fields = [field.split(":") for field in type_[7:-1].split(",")]
        return pa.struct([(name, _arrow_type(kind)) for name, kind in fields])
    return {
        "string": pa.string(),
        "long": pa.int64(),
        "int": pa.int32(),
        "double": pa.float64(),
        "binary": pa.binary(),
    }[type_]


def _table(name: str, columns: str) -> tuple[str, Table]:
    """`name:type` words; a `?` after the type makes the column nullable."""
    parsed = [word.split(":", 1) for word in columns.split()]
    return name, Table(
        name, tuple(Column(n, kind.rstrip("?"), kind.endswith("?")) for n, kind in parsed)
    )


_SPANS = "array<struct<start:int,end:int,kind:string>>"

TABLES: Mapping[str, Table] = MappingProxyType(
    dict(
        [
            _table(
                "raw.documents",
                "row_uid:long label_id:string source:string external_id:string licence:string"
                " content_sha256:string subject_keys:array<string> text:string run_id:string",
            ),
            _table(
                "curation.signals",
                "row_uid:long label_id:string rule:string value:double?"
                f" spans:{_SPANS}? recipe:string run_id:string",
            ),
            _table(
                "curation.decisions",
                "row_uid:long label_id:string source:string outcome:string reason:string"
                " rule:string kept_uid:long? recipe:string policy_revision:string run_id:string",
            ),
            _table(
                "curated.documents",
                "row_uid:long label_id:string source:string licence:string language:string"
                " content_sha256:string subject_keys:array<string> num_pii:int text:string"
                " recipe:string run_id:string",
            ),
            _table(
                "training.packed",
                "row_uid:long label_id:string dsv_id:string tokenizer_sha256:string"
                " sequence_length:int seq_no:long tokens:binary row_uids:array<long>"
                " offsets:array<int>",
            ),
            _table(
                "serving.outputs",
                "row_uid:long label_id:string request_id:string ts:string finished_ts:string"
                " subject:string endpoint:string model:string model_version:long"
                " weights_sha256:string serve_decision_id:string release_decision_id:string"
                " policy_revision:string outcome:string finish_reason:string prompt:string"
                " output:string prompt_sha256:string output_sha256:string released_sha256:string"
                " commitment_key:string verdicts:string prompt_tokens:long completion_tokens:long"
                " mean_logprob:double? mean_entropy:double?",
            ),
            _table(
                "monitoring.windows",
                "row_uid:long label_id:string window_id:string window_start:string"
                " window_end:string outputs_version:long num_outputs:long"
                " detectors:array<string> partials:string reference:string"
                " decision_id:string ts:string",
            ),
            _table(
                "monitoring.alerts",
                "row_uid:long label_id:string alert_id:string window_id:string metric:string"
                " severity:string value:double bound:double baseline:double? num_outputs:long"
                " false_alarm_rate:double reference:string disposition:string ts:string",
            ),
            _table(
                "lineage.dataset_version",
                "dsv_id:string table:string compartment:string version:long"
                " label_ids:array<string> label_id:string num_rows:long fingerprint:string"
                " decision_id:string ts:string",
            ),
            _table(
                "audit.events",
                "log:string seq:long event_id:string ts:string kind:string subject:string"
                " purpose:string object:string",
            ),
            _table(
                "lineage.mixture",
                "mix_sha:string mixture:string"
                " sources:array<struct<dsv_id:string,weight:double>> ts:string",
            ),
            _table(
                "lineage.run_source",
                "run_id:string mix_sha:string dsv_id:string weight:double num_sequences:long"
                " num_consumed:long ts:string",
            ),
            _table(
                "lineage.model_edge",
                "model:string version:long weights_sha256:string label_id:string run_id:string"
                " parent_model:string? parent_version:long? kind:string ts:string",
            ),
            _table(
                "lineage.deployment",
                "endpoint:string model:string version:long from_ts:string to_ts:string?"
                " decision_id:string",
            ),
        ]
    )
)
