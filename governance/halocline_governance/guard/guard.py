"""Plans reads through the read gate and carries them out, on Spark or on Arrow.

The row filter is a native `label_id IN (...)` placed directly on the scan, never a function and
never behind a caller's predicate. Knows no policy: up to which label the caller may read, which
columns and under which masks, is the gate's answer. A row whose label is unknown matches no
granted id and is never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from halocline_governance import tables
from halocline_governance.clock import Onward
from halocline_governance.decision import Decision
from halocline_governance.errors import (
    Denied,
    PolicyUnavailable,
    Refused,
    StorageUnavailable,
    TableMissing,
)
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard import transform
from halocline_governance.guard.bound import Readable
from halocline_governance.guard.condition import Condition, expression
from halocline_governance.guard.plan import Grant, Plan
from halocline_governance.guard.scan import Scan, evenly
from halocline_governance.guard.snapshot import Snapshots
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lake import Lake, Location, check_compartment
from halocline_governance.lineage import fingerprint
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.refs import DatasetRef

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# Enough for a denial to tell why; the bound has decided already.
_LABELS_IN_A_DENIAL = 16


class Guard:
    """Reads governed tables as somebody, for a purpose. Safe to use from many threads.

    Args:
        lake: where the tables lie.
        gates: what decides.
        secret: what masks by hash are keyed with; without one, such columns are refused.
        clock: seconds since the epoch; a plan is carried out until what allowed it ends.
    """

    def __init__(
        self,
        lake: Lake,
        gates: Gates,
        secret: bytes | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._lake = lake
        self._gates = gates
        self._secret = secret
        self._clock = clock or Onward()
        self._snapshots = Snapshots()
        self._readable = Readable()

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
        if named:
            check_compartment(named)
        wanted = _wanted(tables.table(logical), columns)
        _check_version(version, named, logical)
        grants: list[Grant] = []
        denial: Decision | None = None
        for compartment in [named] if named else self._lake.compartments():
            answer = self._look(principal, purpose, logical, compartment, wanted, version)
            if isinstance(answer, Grant) and _would_touch(answer.decision):
                # The first touch of a conflict class is made by naming it, never in passing.
                touched = (
                    self._touch(answer, principal, purpose, logical, version) if named else None
                )
                answer = touched or answer.decision
            if isinstance(answer, Grant):
                grants.append(answer)
            else:
                denial = answer
        if not grants:
            raise Denied(Gate.READ.value, denial or Decision(False, ("nothing to read",)))
        plan = Plan(principal, purpose, logical, tuple(grants))
        if not plan.columns:
            raise Refused("no column is granted alike in all compartments; name one of them")
        self._gates.journal.append(
            AuditEvent(Kind.READ, principal.subject, purpose.value, {"plan": plan.as_json()})
        )
        return plan

    def listed(self, principal: Principal, purpose: Purpose, table: str) -> list[Grant]:
        """What of a table could be read, compartment by compartment. Looking touches no conflict
        class, and hands nothing over: to read, make a plan.

        Raises:
            TableMissing: no such table in this release.
        """
        wanted = tables.table(table).column_names
        answers = [
            self._look(principal, purpose, table, compartment, wanted, None)
            for compartment in self._lake.compartments()
        ]
        return [answer for answer in answers if isinstance(answer, Grant)]

    def reader(
        self, plan: Plan, where: Sequence[Condition] = (), limit: int | None = None
    ) -> pa.RecordBatchReader:
        """The plan's rows as a stream of Arrow batches, in batches whose sizes depend on nothing
        but the rows handed over. Memory is bounded by two row groups, however slow the reader is.

        Raises:
            Denied: what allowed the plan has ended.
            Refused: a condition on a column that is not granted, or a negative limit.
        """
        import pyarrow as pa

        self._check_current(plan)
        if limit is not None and limit < 0:
            raise Refused("a limit is a number from 0")
        open_columns = set(plan.columns) - set(plan.transforms)
        asked = expression(where, tables.table(plan.table), open_columns)
        scans = [self._scan(plan, grant, asked) for grant in plan.grants]
        rows = (batch for scan in scans for batch in scan.batches())
        return pa.RecordBatchReader.from_batches(plan.schema, evenly(rows, limit))

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """The plan's rows as Arrow record batches, compartment by compartment."""
        return iter(self.reader(plan))

    def table(self, plan: Plan) -> pa.Table:
        """All the plan's rows in memory; for what is known to be small."""
        return self.reader(plan).read_all()

    def frame(self, spark: SparkSession, plan: Plan) -> DataFrame:
        """The plan's rows on Spark; for trusted jobs that run as a service principal.

        Raises:
            Denied: what allowed the plan has ended.
        """
        from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

        self._check_current(plan)
        whole: DataFrame | None = None
        for grant in plan.grants:
            rows = (
                spark.read.format("delta")
                .options(**grant.location.spark_options)
                .option("versionAsOf", grant.version)
                .load(grant.location.spark_uri)
                .where(F.col("label_id").isin(list(grant.label_ids)))
            )
            shown = [
                transform.spark_column(F.col(name), mask, self._key(plan, grant, name)).alias(name)
                if (mask := plan.transforms.get(name))
                else F.col(name)
                for name in plan.columns
            ]
            part = rows.select(*shown)
            whole = part if whole is None else whole.unionAll(part)
        assert whole is not None
        # Spark looks for a column that a caller compares or sorts by in what lies below a
        # projection, granted or not; below an alias it does not look.
        return whole.alias("granted")

    def refs(self, plan: Plan) -> tuple[DatasetRef, ...]:
        """Names exactly the rows each grant gives, by count and fingerprint.

        Raises:
            Denied: what allowed the plan has ended.
        """
        self._check_current(plan)
        return tuple(self._ref(plan, grant) for grant in plan.grants)

    def _check_current(self, plan: Plan) -> None:
        """Whoever keeps a plan may not outlive the crossing that it was made through."""
        now = self._clock()
        for grant in plan.grants:
            until = grant.until
            if until is not None and now >= until:
                raise Denied(Gate.READ.value, grant.decision)

    def _look(
        self,
        principal: Principal,
        purpose: Purpose,
        table: str,
        compartment: str,
        columns: tuple[str, ...],
        version: int | None,
    ) -> Grant | Decision:
        asked = _resource(table, compartment, columns, version)
        answer = self._gates.ask(Gate.READ, principal, purpose, {**asked, "look": True})
        if not answer.allow:
            return answer
        try:
            location, newest, labels = self._found(compartment, table)
        except StorageUnavailable:
            if _is_own(compartment, answer):
                raise
            # Whoever is not of this side reads on without it, and learns nothing of its trouble.
            return self._denied(principal, purpose, asked, {})
        mixed = compartment == SYSTEM or compartment.startswith("x.")
        granted = self._readable.of(answer, labels, anywhere=mixed)
        if newest is None or not granted:
            return self._denied(principal, purpose, asked, labels)
        pinned = newest if version is None else version
        if pinned > newest:
            raise TableMissing(f"{compartment}:{table} has no version {version}")
        names = _names(answer)
        schema = tables.table(table).arrow()
        masks = transform.check(answer.obligations.get("transforms"), schema)
        return Grant(
            compartment=compartment,
            location=location,
            version=pinned,
            labels=granted,
            label_ids=tuple(granted),
            columns=tuple(name for name in columns if name in names),
            transforms={name: mask for name, mask in masks.items() if name in names},
            decision=answer,
        )

    def _found(
        self, compartment: str, table: str
    ) -> tuple[Location, int | None, Mapping[str, Label]]:
        """Where the table lies, its newest version, and what labels are interned beside it."""
        try:
            location = self._lake.location(compartment, table)
            newest = self._snapshots.newest(location)
            return location, newest, self._lake.labels(compartment) if newest is not None else {}
        except Refused as error:
            # A credential that cannot be used is the lake's trouble, and names its file: no caller
            # of a server is told.
            raise StorageUnavailable(str(error)) from None

    def _touch(
        self,
        seen: Grant,
        principal: Principal,
        purpose: Purpose,
        table: str,
        version: int | None,
    ) -> Grant | Decision:
        """The grant, by a decision that is in the history; or the denial, if somebody was first."""
        asked = _resource(table, seen.compartment, seen.columns, version)
        answer = self._gates.ask(Gate.READ, principal, purpose, asked)
        if not answer.allow:
            return answer
        same = {**seen.decision.obligations}
        same.pop("would_touch")
        if same != {k: v for k, v in answer.obligations.items() if k != "touches"}:
            raise PolicyUnavailable("the read gate changed its answer in between; try again")
        return replace(seen, decision=answer)

    def _denied(
        self,
        principal: Principal,
        purpose: Purpose,
        asked: Mapping[str, object],
        labels: Mapping[str, Label],
    ) -> Decision:
        """Nothing here lies within the bound: let the gate itself say so, and record it."""
        some = dict(sorted(labels.items())[:_LABELS_IN_A_DENIAL])
        shown = {label_id: label.as_json() for label_id, label in some.items()}
        answer = self._gates.ask(Gate.READ, principal, purpose, {**asked, "labels": shown})
        if answer.allow:
            raise PolicyUnavailable("the read gate's bound and its label ids contradict")
        return answer

    def _scan(self, plan: Plan, grant: Grant, asked: object) -> Scan:
        keys = {
            name: self._key(plan, grant, name)
            for name, mask in plan.transforms.items()
            if mask == "hash"
        }
        return Scan(
            location=grant.location,
            dataset=self._snapshots.dataset(grant.location, grant.version),
            label_ids=grant.label_ids,
            asked=asked,
            schema=plan.schema,
            transforms=plan.transforms,
            keys=keys,
        )

    def _key(self, plan: Plan, grant: Grant, column: str) -> bytes:
        if plan.transforms[column] != "hash":
            return b""
        return transform.column_key(self._secret, grant.compartment, plan.table, column)

    def _ref(self, plan: Plan, grant: Grant) -> DatasetRef:
        import pyarrow.compute as pc

        names = ["row_uid", "label_id", "content_sha256"]
        names = [name for name in names if name in grant.columns and name not in grant.transforms]
        readable = pc.field("label_id").isin(list(grant.label_ids))
        dataset = self._snapshots.dataset(grant.location, grant.version)
        with grant.location.reached():
            rows = dataset.to_table(columns=names, filter=readable)
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


def _wanted(table: tables.Table, columns: Sequence[str] | None) -> tuple[str, ...]:
    wanted = tuple(columns or table.column_names)
    if unknown := set(wanted) - set(table.column_names):
        raise Refused(f"{table.name} has no column {', '.join(sorted(unknown))}")
    if len(set(wanted)) != len(wanted):
        raise Refused("a column can be asked for once")
    return wanted


def _check_version(version: int | None, named: str, table: str) -> None:
    if version is None:
        return
    if type(version) is not int or version < 0:
        raise Refused("a version is a number from 0")
    if not named:
        raise Refused(f"name the compartment to pin a version: COMPARTMENT:{table}")


def _resource(
    table: str, compartment: str, columns: Sequence[str], version: int | None
) -> dict[str, object]:
    pinned = {} if version is None else {"version": version}
    return {"table": table, "compartment": compartment, "columns": list(columns), **pinned}


def _is_own(compartment: str, answer: Decision) -> bool:
    """Does the bound reach into this compartment, rather than to what is public in it?"""
    bound = answer.obligations.get("bound", {})
    names = {*bound.get("sides", []), *bound.get("tenants", [])}
    return compartment == SYSTEM or {*compartment.split(".")} - {"public", "x"} <= names


def _would_touch(answer: Decision) -> bool:
    return bool(answer.obligations.get("would_touch"))


def _names(answer: Decision) -> set[str]:
    names = answer.obligations.get("columns")
    if not isinstance(names, list) or not names:
        raise PolicyUnavailable("the read gate allowed without saying which columns")
    return set(names)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
