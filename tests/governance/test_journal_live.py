"""A log that is begun while a verifier reads accuses no other: what it says is newer than that."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Journal, Signer, verify
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
