"""A log as its newest signed head has it, and whether it continues what somebody knew of it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from halocline_governance.audit.question import Question
from halocline_governance.audit.search import in_log
from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import Trust
from halocline_governance.journal.index import Index
from halocline_governance.journal.merkle import consistency, verify_consistency
from halocline_governance.journal.note import Checkpoint, Endorsement
from halocline_governance.journal.scan import read_note
from halocline_governance.records import Kind


class SignedLog:
    """Use as a context manager.

    Args:
        folder: of the log.
        trust: whose heads count; keys that these endorsed in the log count there too.

    Raises:
        Unverified: its head is not by a trusted key, or is of another log.
        JournalCorrupt: there is no head, or it covers records that are missing.
    """

    def __init__(self, folder: Path, trust: Trust) -> None:
        self.log = folder.name
        self._folder, self._trust = folder, trust
        note = read_note(folder)
        if note is None:
            raise JournalCorrupt(f"{self.log}/checkpoint", "the signed head is missing")
        self.note, self.head = note, self.opened(note)
        self._index, self._is_stored = Index(folder), True
        self.num_records = self._index.size
        if self.num_records < self.head.size:
            self.close()
            raise JournalCorrupt(
                f"{self.log} record {self.num_records}",
                f"records {self.num_records} to {self.head.size - 1} were signed and are missing",
            )

    def opened(self, note: str) -> Checkpoint:
        """What a head of this log says.

        Raises:
            Unverified: it is not by a trusted key, or of another log.
        """
        try:
            try:
                head = self._trust.open(note)
            except Unverified:
                head = _endorsed(self._folder, self._trust).open(note)
        except Unverified as error:
            raise Unverified(f"{self.log}/checkpoint: {error}") from None
        if head.log != self.log:
            raise Unverified(f"{self.log}/checkpoint: it is the head of another log")
        return head

    def check_begins(self, size: int, root: bytes, knew: str) -> None:
        """That the first `size` records of what was signed have this root.

        Args:
            knew: who says so, for the message: "was witnessed".

        Raises:
            Unverified: they have not.
        """
        if size > self.head.size:
            raise Unverified(
                f"{self.log}/checkpoint: it {knew} with {size} records, and its head covers"
                f" {self.head.size}: it was set back"
            )
        if self._is_stored and not self._begins(size, root):
            # What is stored proves nothing: it may be the index that is at fault.
            self._index.close()
            self._index, self._is_stored = Index(self._folder, stored=False), False
        if not self._begins(size, root):
            raise Unverified(
                f"{self.log}: it {knew} with {size} records, which are not the beginning of what is"
                " signed now. Run `halocline audit verify`: if it finds nothing, this is another"
                " journal than the one before"
            )

    def close(self) -> None:
        """Idempotent."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begins(self, size: int, root: bytes) -> bool:
        try:
            path = consistency(self._index.node, size, self.head.size)
        except IndexError:
            return False
        return verify_consistency(size, self.head.size, root, self.head.root, path)


def _endorsed(folder: Path, trust: Trust) -> Trust:
    """This trust and the keys that it endorsed in this log, one after the other."""
    for found in reversed(list(in_log(folder, Question(kind=Kind.KEY)))):
        try:
            trust = trust.extended(Endorsement.parse(found.event["object"]))
        except (Refused, Unverified) as error:
            raise Unverified(f"record {found.seq}: {error}") from None
    return trust
