"""A home with keys and a journal, as commands leave one: for tests of what auditors do."""

from __future__ import annotations

from pathlib import Path

from halocline_governance import keys, strict_json
from halocline_governance.journal import Journal, Signer, Trust, verify
from halocline_governance.journal.note import endorsements
from halocline_governance.records import AuditEvent, Kind


class Home:
    """Opens its signer from its files each time, as each process does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys, self.directory = path / "keys", path / "journal"
        signer = Signer(keys.ed25519(self.keys / "journal.key"))
        if not (self.keys / "journal.pub").exists():
            (self.keys / "journal.pub").write_text(signer.trust.text())

    @property
    def trust(self) -> Trust:
        return Trust.parse((self.keys / "journal.pub").read_text())

    @property
    def signer(self) -> Signer:
        told = self.keys / "journal.endorsed"
        said = endorsements(strict_json.loads(told.read_text())) if told.exists() else ()
        return Signer(keys.ed25519(self.keys / "journal.key"), older=self.trust, endorsements=said)

    def write(self, count: int = 1, logs: int = 1) -> None:
        opened = [Journal.open(self.directory, self.signer) for _ in range(logs)]
        for number in range(count):
            kind = (Kind.READ, Kind.TRAIN, Kind.INGEST)[number % 3]
            event = AuditEvent(kind, f"ana-{number}", "audit", {"number": number})
            opened[number % logs].append(event)
        for journal in opened:
            journal.close()

    def problems(self, trust: Trust | None = None) -> tuple[tuple[str, str], ...]:
        return verify(self.directory, trust or self.trust).problems

    def head(self, log: str = "log-0000") -> str:
        return (self.directory / log / "checkpoint").read_text()
