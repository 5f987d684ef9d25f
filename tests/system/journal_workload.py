"""A small fixed day of a journal: opened, written, sealed, turned over, closed, opened again.

    journal_workload.py DIRECTORY ACKS

What is acknowledged goes to the descriptor ACKS, `LOG SEQ NUMBER` a line, by a system call that
nothing else here makes. The first error ends the day: `failed`, then `again` if a record went
through after it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import JournalCorrupt, JournalUnavailable
from halocline_governance.journal import Journal, Signer, segments
from halocline_governance.records import AuditEvent, Kind

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})


def main(directory: Path, acks: int) -> None:
    journal: Journal | None = None
    number = 0
    try:
        for _ in range(2):
            journal = Journal.open(directory, SIGNER)
            for turn in range(5):
                receipt = journal.append(event(number))
                os.writev(acks, [f"{receipt.log} {receipt.seq} {number}\n".encode()])
                number += 1
                if turn == 2:
                    journal.seal()
            journal.close()
    except (JournalCorrupt, JournalUnavailable) as error:
        os.writev(acks, [f"failed: {error}\n".encode()])
        try:
            if journal:
                journal.append(event(10**6))
                os.writev(acks, [b"again\n"])
        except JournalUnavailable:
            pass
    os.writev(acks, [b"over\n"])


if __name__ == "__main__":
    segments.SEGMENT_BYTES = 900
    main(Path(sys.argv[1]), int(sys.argv[2]))
