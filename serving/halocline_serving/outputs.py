"""Every call's record: admitted before its first byte, complete before its last, in the table once.

Law 3 for answers. Knows no policy and no HTTP. A record becomes durable in the spool of its
compartment, then in the journal without its texts; a background thread moves spool rows to
`serving.outputs`. Opening closes what a dead process left: unfinished answers as `aborted`.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from deltalake.exceptions import DeltaError

from halocline_governance.errors import HaloclineError, JournalUnavailable, LeaseHeld
from halocline_governance.gates import Sink
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, InferenceRecord, Kind, timestamp
from halocline_serving.spooling import Lane, open_lane, orphans

_log = logging.getLogger(__name__)
_AUDITED = ("request_id", "label_id", "model", "model_version", "weights_sha256")


@dataclass(frozen=True, slots=True)
class Admission:
    """The right to let bytes of this answer leave."""

    record: InferenceRecord
    lane: Lane


class Outputs:
    """Use as a context manager; one per process.

    Args:
        lake: where `serving.outputs` and the spools lie, by compartment.
        journal: where admissions and commitments become durable.
        every_s: how long a record waits, at most, before it is moved to its table.
        rotate_after: a spool gives way to a new one after so many entries.

    Raises:
        JournalCorrupt: a spool that a dead process left cannot be read.
    """

    def __init__(
        self, lake: Lake, journal: Sink, every_s: float = 2.0, rotate_after: int = 10_000
    ) -> None:
        self._lake = lake
        self._journal = journal
        self._every_s = every_s
        self._rotate_after = rotate_after
        self._lock = threading.Lock()
        self._moving = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._retiring: list[Lane] = []
        self._closing = threading.Event()
        self.is_moving = True
        self._recover()
        self._try_to_move()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def num_pending(self) -> int:
        """Durable records that are not in their table yet."""
        return sum(lane.num_pending for lane in self._all())

    def admit(self, record: InferenceRecord, label: Label) -> Admission:
        """Before the first byte: the admission, durable in the spool and in the journal.

        Raises:
            JournalUnavailable: it is not durable; nothing may leave.
        """
        lane = self._lane(label)
        lane.admit(record.as_json())
        self._append(Kind.ADMIT, record, {name: getattr(record, name) for name in _AUDITED})
        return Admission(record, lane)

    def finish(self, admission: Admission, record: InferenceRecord) -> None:
        """Before the last byte, and in every other case in which an admitted answer ends.

        Raises:
            JournalUnavailable: it is not durable; the last byte may not leave.
        """
        number = admission.lane.finish(record.as_json())
        self._append(Kind.GENERATE, record, record.commitment())
        admission.lane.commit(number, record.as_json())
        with self._lock:
            admission.lane.num_open -= 1

    def refuse(self, record: InferenceRecord, label: Label) -> None:
        """The record of a call that the serve gate denied."""
        self.finish(Admission(record, self._lane(label)), record)

    def flush(self, timeout_s: float = 30.0) -> None:
        """Return when every complete record is in its table.

        Raises:
            LeaseHeld: another process kept a table's lease for so long.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._move()
                return
            except LeaseHeld:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        """Move what is left and stop. Idempotent."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        try:
            self.flush()
        finally:
            for lane in self._all():
                lane.close()

    def _append(self, kind: Kind, record: InferenceRecord, told: dict[str, Any]) -> None:
        self._journal.append(AuditEvent(kind, record.subject, Purpose.INFERENCE.value, told))

    def _lane(self, label: Label) -> Lane:
        compartment = label.compartment
        with self._lock:
            if self._closing.is_set():
                raise JournalUnavailable("outputs are closed")
            self._lake.intern(label)
            if compartment not in self._lanes:
                self._lanes[compartment] = open_lane(self._lake, compartment)
            lane = self._lanes[compartment]
            lane.num_open += 1
            return lane

    def _all(self) -> list[Lane]:
        with self._lock:
            return [*self._retiring, *self._lanes.values()]

    def _recover(self) -> None:
        """Take over what dead processes left and finish their records."""
        for lane in orphans(self._lake):
            self._retiring.append(lane)
            moved = lane.moved()
            open_: dict[str, dict[str, Any]] = {}
            for number, state, row in lane.entries():
                if state == "admitted":
                    open_[row["request_id"]] = row
                    lane.skip(number)
                    continue
                open_.pop(row["request_id"], None)
                self._restore(lane, number, row, moved)
            for row in open_.values():
                self._abort(lane, InferenceRecord(**row))

    def _restore(self, lane: Lane, number: int, row: dict[str, Any], moved: int) -> None:
        """A complete record. Its commitment may have missed the journal, so it is told again."""
        if number <= moved:
            lane.skip(number)
            return
        record = InferenceRecord(**row)
        kind = Kind.ABORT if record.outcome == "aborted" else Kind.GENERATE
        self._append(kind, record, {**record.commitment(), "recovered": True})
        lane.commit(number, row)

    def _abort(self, lane: Lane, admitted: InferenceRecord) -> None:
        """An answer that a crash cut off: what of it was released nobody knows."""
        record = replace(
            admitted, outcome="aborted", finish_reason="aborted", finished_ts=timestamp()
        )
        self._append(Kind.ABORT, record, {**record.commitment(), "recovered": True})
        lane.commit(lane.finish(record.as_json()), record.as_json())

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            self._try_to_move()

    def _try_to_move(self) -> None:
        try:
            self._move()
            self.is_moving = True
        except Exception as error:  # noqa: BLE001 - the rows stay in their spool for the next try
            self.is_moving = isinstance(error, LeaseHeld)
            _log.warning("outputs: rows wait in their spool: %s", type(error).__name__)

    def _move(self) -> None:
        """Every lane's rows; one lane's trouble does not stop the others."""
        trouble: Exception | None = None
        with self._moving:
            for lane in self._all():
                try:
                    lane.move()
                except (HaloclineError, DeltaError, OSError) as error:
                    trouble = error
                    continue
                self._retire(lane)
        if trouble is not None:
            raise trouble

    def _retire(self, lane: Lane) -> None:
        """Let go of a spool that is done with. One that has grown long, or is to be emptied, takes
        no new call from here on."""
        with self._lock:
            is_due = lane.num_moved >= self._rotate_after or lane.is_over
            if is_due and not lane.retiring:
                del self._lanes[lane.compartment]
                self._retiring.append(lane)
                lane.retiring = True
            if not lane.retiring or lane.num_open or lane.num_pending:
                return
            self._retiring.remove(lane)
        lane.close()
