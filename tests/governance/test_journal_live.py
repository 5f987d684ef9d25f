"""Reading a journal that others write meanwhile accuses no healthy log."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Journal, Signer, verify
from halocline_governance.journal.evidence import first_of, segments
from halocline_governance.records import AuditEvent, Kind


def test_a_log_begun_meanwhile_accuses_no_other(tmp_path: Path) -> None:
    signer = Signer(Ed25519PrivateKey.generate())
    begun: list[Journal] = []
    with Journal.open(tmp_path, signer) as first:
        (tmp_path / "log-0001").mkdir()  # its name is taken, and nothing stands in it yet

        def meanwhile(_done: int, _total: int) -> None:
            if not begun:
                first.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": 1}))
                first.seal()
                begun.append(Journal.open(tmp_path, signer))

        found = verify(tmp_path, signer.trust, progress=meanwhile)
        names = [journal.name for journal in begun]
        for journal in begun:
            journal.close()

    assert names == ["log-0001"]
    assert found.problems == ()
    assert verify(tmp_path, signer.trust).ok


MAKER = """
import os, sys
for number in range(int(sys.argv[2])):
    os.close(os.open(f"{sys.argv[1]}/{number:012}.seg", os.O_CREAT | os.O_WRONLY))
"""


def test_a_listing_lacks_no_segment_before_its_last(
    tmp_path: Path, scale: Callable[[int, int], int]
) -> None:
    """While they are made: a plain listing does, now and then."""
    seen: list[list[int]] = []
    with subprocess.Popen([sys.executable, "-c", MAKER, tmp_path, str(scale(5_000, 50_000))]) as it:
        while it.poll() is None:
            seen.append([first_of(path) for path in segments(tmp_path)])
    assert max(map(len, seen)) > len(seen[0])
    assert all(firsts == list(range(len(firsts))) for firsts in seen)
