"""Plans reads through the read gate and carries them out, on Spark or on Arrow.

The row filter is a native `label_id IN (...)` placed directly on the scan, never a function and
never behind a caller's predicate. Knows no policy: which labels and columns are readable is the
gate's answer. Rows whose label is unknown match no granted id and are never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, PolicyUnavailable, Refused, TableMissing
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard.plan import Grant, Plan
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import fingerprint
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.refs import DatasetRef

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# A question of 16 costs the embedded engine under 10 ms; its cost grows with the square.
_LABELS_PER_QUESTION = 16


class Guard:
    """Reads governed tables as somebody, for a purpose."""

    def __init__(self, lake: Lake, gates: Gates) -> None:
        self._lake = lake
        self._gates = gates

    def plan(
        self,
        principal: Principal,
        purpose: Purpose,
        table: str,
        columns: Sequence[str] | None = None,
        version: int | None = None,
    ) -> Plan:
        """Ask the read gate in each compartment that holds the table.

        Args:
            principal: who reads.
            purpose: why.
            table: `schema.table`, or `compartment:schema.table` for one compartment.
            columns: what is wanted; every column the policy allows when left out.
            version: a pinned Delta version; only with one compartment named.

        Raises:
            Denied: nothing of it may be read; the same answer whether rows exist or not.
            TableMissing: no such table in this release.
            Refused: a version without a compartment, or an unknown column.
        """
        named, _, logical = table.rpartition(":")
        schema = tables.table(logical)
        wanted = tuple(columns or schema.column_names)
        if unknown := set(wanted) - set(schema.column_names):
            raise Refused(f"{logical} has no column {', '.join(sorted(unknown))}")
        if version is not None and not named:
            raise Refused(f"name the compartment to pin a version: COMPARTMENT:{logical}")
        grants: list[Grant] = []
        denial: Decision | None = None
        for compartment in [named] if named else self._lake.compartments():
            answer = self._ask(principal, purpose, logical, compartment, wanted, version)
            if isinstance(answer, Grant):
                grants.append(answer)
            else:
                denial = answer or denial
        if not grants:
            raise Denied(Gate.READ.value, denial or Decision(False, ("nothing to read",)))
        plan = Plan(principal, purpose, logical, tuple(grants))
        self._gates.journal.append(
            AuditEvent(Kind.READ, principal.subject, purpose.value, {"plan": _told(plan)})
        )
        return plan

    def frame(self, spark: SparkSession, plan: Plan) -> DataFrame:
        """The plan's rows on Spark; for trusted jobs that run as a service principal."""
        from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

        frames = [
            spark.read.format("delta")
            .option("versionAsOf", grant.version)
            .load(str(grant.path))
            .where(F.col("label_id").isin(list(grant.label_ids)))
            .select(*plan.columns)
            for grant in plan.grants
        ]
        whole = frames[0]
        for frame in frames[1:]:
            whole = whole.unionAll(frame)
        return whole

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """The plan's rows as Arrow record batches, compartment by compartment."""
        import pyarrow.compute as pc

        for grant in plan.grants:
            readable = pc.field("label_id").isin(list(grant.label_ids))
            yield from self._dataset(grant).to_batches(columns=list(plan.columns), filter=readable)

    def table(self, plan: Plan) -> pa.Table:
        """All the plan's rows in memory; for what is known to be small."""
        import pyarrow as pa

        schema = tables.table(plan.table).arrow()
        wanted = pa.schema([schema.field(name) for name in plan.columns])
        rows = [batch.cast(wanted) for batch in self.batches(plan)]
        return pa.Table.from_batches(rows, schema=wanted)

    def refs(self, plan: Plan) -> tuple[DatasetRef, ...]:
        """Names exactly the rows each grant gives, by count and fingerprint."""
        return tuple(self._ref(plan, grant) for grant in plan.grants)

    def _ask(
        self,
        principal: Principal,
        purpose: Purpose,
        table: str,
        compartment: str,
        columns: tuple[str, ...],
        version: int | None,
    ) -> Grant | Decision | None:
        exists = self._lake.exists(compartment, table)
        labels = self._lake.labels(compartment) if exists else {}
        granted: dict[str, Label] = {}
        allowed: set[str] | None = None
        decision: Decision | None = None
        for some in _chunks(sorted(labels)) if labels else [[]]:
            answer = self._gates.ask(
                Gate.READ,
                principal,
                purpose,
                {
                    "table": table,
                    "compartment": compartment,
                    "columns": list(columns),
                    "labels": {label_id: labels[label_id].as_json() for label_id in some},
                },
            )
            if not answer.allow:
                decision = decision or answer
                continue
            decision = answer
            ids, names = _obliged(answer)
            granted |= {label_id: labels[label_id] for label_id in ids if label_id in some}
            allowed = names if allowed is None else allowed & names
        if decision is None or not granted or not allowed:
            return decision
        newest = self._lake.version(compartment, table)
        pinned = newest if version is None else version
        if newest is None or pinned is None or not 0 <= pinned <= newest:
            raise TableMissing(f"{compartment}:{table} has no version {version}")
        readable = tuple(name for name in columns if name in allowed)
        path = self._lake.path(compartment, table)
        return Grant(compartment, path, pinned, granted, readable, decision)

    def _ref(self, plan: Plan, grant: Grant) -> DatasetRef:
        import pyarrow.compute as pc

        names = ["row_uid", "label_id", "content_sha256"]
        names = [name for name in names if name in grant.columns]
        readable = pc.field("label_id").isin(list(grant.label_ids))
        rows = self._dataset(grant).to_table(columns=names, filter=readable)
        hashes = rows["content_sha256"] if "content_sha256" in names else rows["row_uid"]
        pairs = zip(rows["row_uid"].to_pylist(), map(str, hashes.to_pylist()), strict=True)
        return DatasetRef(
            table=plan.table,
            compartment=grant.compartment,
            version=grant.version,
            label_ids=tuple(sorted(set(rows["label_id"].to_pylist()))),
            num_rows=rows.num_rows,
            fingerprint=fingerprint.of(pairs),
            decision_id=grant.decision.id,
        )

    @staticmethod
    def _dataset(grant: Grant) -> Any:
        from deltalake import DeltaTable

        return DeltaTable(grant.path, version=grant.version).to_pyarrow_dataset()


def _obliged(answer: Decision) -> tuple[list[str], set[str]]:
    ids, names = answer.obligations.get("label_ids"), answer.obligations.get("columns")
    if not isinstance(ids, list) or not isinstance(names, list):
        raise PolicyUnavailable("the read gate allowed without saying which labels and columns")
    return ids, set(names)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _chunks(ids: list[str]) -> list[list[str]]:
    return [ids[i : i + _LABELS_PER_QUESTION] for i in range(0, len(ids), _LABELS_PER_QUESTION)]


def _told(plan: Plan) -> dict[str, Any]:
    return {
        "table": plan.table,
        "columns": list(plan.columns),
        "grants": [
            {
                "compartment": grant.compartment,
                "version": grant.version,
                "label_ids": list(grant.label_ids),
                "decision_id": grant.decision.id,
            }
            for grant in plan.grants
        ],
    }
