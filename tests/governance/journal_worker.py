"""A process that writes a journal and says on standard output what it was told is durable.

    journal_worker.py DIRECTORY FIRST [SEGMENT_BYTES [FILE_BYTES]]

Each line is `LOG SEQ NUMBER`, written after `append` returned; numbers count from FIRST. With
FILE_BYTES no file may grow larger. After the first error it says `failed`, tries once more, says
`again` if that went through, and waits for its standard input to end.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import JournalUnavailable
from halocline_governance.journal import Journal, Signer, segments
from halocline_governance.records import AuditEvent, Kind

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})


def main(directory: str, first: str, segment_bytes: str = "4000", file_bytes: str = "") -> None:
    segments.SEGMENT_BYTES = int(segment_bytes)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        journal = Journal.open(Path(directory), SIGNER)
    except JournalUnavailable:
        say("unavailable")
        return
    if file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), int(file_bytes)))
    number = int(first)
    try:
        while True:
            receipt = journal.append(event(number))
            say(f"{receipt.log} {receipt.seq} {number}")
            number += 1
    except JournalUnavailable:
        say("failed")
    sys.stdin.read()
    try:
        journal.append(event(number))
        say("again")
    except JournalUnavailable:
        say("refused")


if __name__ == "__main__":
    main(*sys.argv[1:])
