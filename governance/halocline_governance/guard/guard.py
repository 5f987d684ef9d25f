"""Plans reads by what the read gate grants and carries them out, on Spark or on Arrow.

The row filter is a native `label_id IN (...)` placed directly on the scan, never a function and
never behind a caller's predicate. A row whose label is unknown matches no granted id and is never
read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from halocline_governance import tables
from halocline_governance.clock import Onward
from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, Refused
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard import transform
from halocline_governance.guard.ask import ReadGate, touches
from halocline_governance.guard.condition import Condition, expression
from halocline_governance.guard.plan import Grant, Plan, Question
from halocline_governance.guard.scan import Scan, evenly
from halocline_governance.guard.snapshot import Snapshots, legible
from halocline_governance.guard.watch import Watch
from halocline_governance.label import PUBLIC
from halocline_governance.lake import Lake, check_compartment
from halocline_governance.lineage import fingerprint
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.refs import DatasetRef

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# As many as a message can tell of; `listed` tells all.
_TOLD_TOUCHES = 3


class Guard:
    """Reads governed tables as somebody, for a purpose. Safe to use from many threads.

    Args:
        lake: where the tables lie.
        gates: what decides.
        secret: what masks by hash are keyed with; without one, such columns are refused.
        clock: seconds since the epoch; a read goes on until what allowed it ends.
        steady: seconds of a clock that never jumps; reads that go on are decided anew by it.
    """

    def __init__(
        self,
        lake: Lake,
        gates: Gates,
        secret: bytes | None = None,
        clock: Callable[[], float] | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lake = lake
        self._gates = gates
        self._secret = secret
        self._clock = clock or Onward()
        self._steady = steady
        self._snapshots = Snapshots()
        self._gate = ReadGate(lake, gates, self._snapshots)

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
            Refused: a version without a compartment, an unknown column, or a table whose every
                part must be read by its compartment's name: the message tells them.
        """
        named, _, logical = table.rpartition(":")
        if named:
            check_compartment(named)
        wanted = _wanted(tables.table(logical), columns)
        _check_version(version, named, logical)
        began = self._steady()
        grants: list[Grant] = []
        unnamed: list[Grant] = []
        denial = Decision(False, ("nothing to read",))
        # Where nothing lies, the gate says so of what is public: a denial is always on record.
        for place in [named] if named else self._lake.compartments() or [PUBLIC.compartment]:
            question = Question(logical, place, wanted, version)
            answer = self._gate.look(principal, purpose, question)
            if isinstance(answer, Grant) and touches(answer.decision):
                # The first touch of a conflict class is made by naming it, never in passing.
                if not named:
                    unnamed.append(answer)
                    continue
                answer = self._gate.touch(principal, purpose, answer)
            if isinstance(answer, Grant):
                grants.append(answer)
            else:
                denial = answer
        if not grants and unnamed:
            raise Refused(_name_one(unnamed))
        if not grants:
            raise Denied(Gate.READ.value, denial)
        plan = Plan(principal, purpose, logical, tuple(grants), began)
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
            self._gate.look(principal, purpose, Question(table, compartment, wanted))
            for compartment in self._lake.compartments()
        ]
        return [answer for answer in answers if isinstance(answer, Grant)]

    def watch(self, plan: Plan, who: Callable[[], Principal] | None = None) -> Watch:
        """What ends a read of this plan as soon as less is granted than the plan says.

        Args:
            plan: what is read.
            who: the plan's caller as known now; as it was then when left out.
        """
        still = who or (lambda: plan.principal)
        return Watch(self._gate, self._gates.journal, plan, still, self._clock, self._steady)

    def reader(
        self,
        plan: Plan,
        where: Sequence[Condition] = (),
        limit: int | None = None,
        watch: Watch | None = None,
    ) -> pa.RecordBatchReader:
        """The plan's rows as a stream of Arrow batches, in batches whose sizes depend on nothing
        but the rows handed over. Memory is bounded by two row groups, however slow the reader is.

        Args:
            plan: what is read.
            where: conditions that all hold.
            limit: rows at most.
            watch: ends the stream; of `watch` when left out.

        Raises:
            Denied: less is granted by now than the plan says; so does each batch, within a second.
            Refused: a condition on a column that is not granted, or a negative limit.
        """
        import pyarrow as pa

        watch = watch or self.watch(plan)
        watch.check()
        if limit is not None and limit < 0:
            raise Refused("a limit is a number from 0")
        open_columns = set(plan.columns) - set(plan.transforms)
        asked = expression(where, tables.table(plan.table), open_columns)
        scans = [self._scan(plan, grant, asked) for grant in plan.grants]
        rows = (batch for scan in scans for batch in scan.batches())
        watched = _watched(evenly(rows, limit), watch)
        return pa.RecordBatchReader.from_batches(plan.schema, watched)

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """The plan's rows as Arrow record batches, compartment by compartment."""
        return iter(self.reader(plan))

    def table(self, plan: Plan) -> pa.Table:
        """All the plan's rows in memory; for what is known to be small."""
        return self.reader(plan).read_all()

    def frame(self, spark: SparkSession, plan: Plan) -> DataFrame:
        """The plan's rows on Spark; for trusted jobs that run as a service principal. Spark reads
        them when it likes: what is granted now is asked here, and not again.

        Raises:
            Denied: less is granted by now than the plan says.
        """
        from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

        self.watch(plan).check()
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
        """Names exactly the rows each grant gives, by count and fingerprint. They are recorded, so
        that what somebody says of them later can be held against it.

        Raises:
            Denied: less is granted by now than the plan says.
        """
        self.watch(plan).check()
        refs = tuple(self._ref(plan, grant) for grant in plan.grants)
        for ref in refs:
            what = {"dsv_id": ref.dsv_id, **ref.as_json()}
            event = AuditEvent(Kind.DATASET, plan.principal.subject, plan.purpose.value, what)
            self._gates.journal.append(event)
        return refs

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
        with legible(grant.location):
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
    if isinstance(columns, str):
        raise Refused(f"columns is a list of names, such as [{columns!r}]")
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


def _name_one(unnamed: Sequence[Grant]) -> str:
    """What to do about a read that would only touch conflict classes. The caller may read each of
    these, and is told of each by `listed`."""
    told = [
        f"{grant.compartment}:{grant.question.table} touches the conflict class of"
        f" {' and '.join(touches(grant.decision))}"
        for grant in unnamed[:_TOLD_TOUCHES]
    ]
    more = ["halocline lake list tells the others"] if len(unnamed) > len(told) else []
    return f"name the compartment to read it: {'; '.join([*told, *more])}"


def _watched(batches: Iterator[pa.RecordBatch], watch: Watch) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        watch.check()
        yield batch
