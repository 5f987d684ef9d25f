"""What a compliance officer does: opening the audit record and building reports.

Composes governance with the registry's ledger, which governance itself must not know.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from halocline_governance.policy.bundle import Bundle
    from halocline_governance.report import Period, ReportPaths
    from halocline_governance.report.period import Document, Paths, Sources
    from halocline_governance.report.period.checked import Checked
    from halocline_infra.platform import Platform


def require_auditor(platform: Platform, principal: Principal) -> None:
    """Let somebody at the audit record, or refuse; either way it is recorded.

    Raises:
        Denied: the read gate does not let this principal read `audit.events`.
    """
    from halocline_governance.report.build import require_auditor as require

    require(platform.gates, principal)


def installed_policies(platform: Platform) -> Bundle:
    """The policies that decide here, as the engine of this installation has them.

    Raises:
        Refused: they are malformed.
        Unverified: the signed bundle is not what the key's holder signed.
    """
    from halocline_governance.policy.archive import load
    from halocline_governance.policy.bundle import collect
    from halocline_governance.policy.signing import public_key

    environment = platform.environment
    if environment.policy_bundle is None:
        return collect(platform.firm.facts())
    return load(environment.policy_bundle, public_key(environment.policy_key)).bundle


def build_report(
    platform: Platform, officer: Principal, request_id: str, earlier: bytes | None = None
) -> ReportPaths:
    """The compliance report for one output, under `reports/`.

    Args:
        platform: this installation.
        officer: who asks.
        request_id: the output.
        earlier: the JSON file of an earlier report about it, to build again from its pin.

    Raises:
        Denied, Refused: as `report.build`; or what is given is no earlier report about it.
        Unverified: built again, it is other than it was; where it is, is said.
    """
    from halocline_governance import report
    from halocline_governance.errors import Unverified

    pin = report.pin_of(earlier, request_id) if earlier is not None else None
    paths = report.build(
        report.Sources(
            guard=platform.guard,
            gates=platform.gates,
            lake=platform.lake,
            lineage=platform.lineage,
            journal_dir=platform.environment.journal,
            trust=platform.signer.trust,
            ledger=platform.registry.ledger_rows(),
        ),
        officer,
        request_id,
        _reports(platform),
        pin,
    )
    if earlier is not None and (differ := report.differences(earlier, paths.json.read_bytes())):
        raise Unverified(
            f"built again, the report is other than it was in: {', '.join(differ)}; it is at"
            f" {paths.json}"
        )
    return paths


def crossing_register(platform: Platform, officer: Principal, period: Period) -> dict[str, Any]:
    """Every crossing of a wall in a period, from the journal; that it was told is recorded first.

    Raises:
        Denied: the officer may not open the audit record.
        JournalCorrupt: a record that cannot be read.
    """
    from halocline_governance import report
    from halocline_governance.journal import read

    require_auditor(platform, officer)
    entries = (report.Entry(*place) for place in read(platform.environment.journal))
    told = report.register(entries, period)
    printed = json.dumps(told, indent=2, sort_keys=True) + "\n"
    what = {
        "crossings": {"from": period.start, "to": period.end},
        "json_sha256": hashlib.sha256(printed.encode()).hexdigest(),
    }
    event = AuditEvent(Kind.REPORT, officer.subject, Purpose.AUDIT.value, what)
    platform.gates.journal.append(event)
    return told


def build_period_report(  # noqa: PLR0913 - one option each
    platform: Platform,
    officer: Principal,
    period: str,
    duty: str,
    *,
    out_dir: Path | None = None,
    earlier: Document | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Paths:
    """The report of a period, under `reports/` or where it is wanted.

    Args:
        platform: this installation.
        officer: who asks.
        period: as `halocline report build --period` takes it; unused with `earlier`.
        duty: `ai-act`, `sr-26-2`, `mar` or `all`; unused with `earlier`.
        out_dir: a folder, made when missing.
        earlier: a report to build again, byte by byte.
        say: is told how far it is.

    Raises:
        Refused: no such period or duty.
        Denied: the officer may not open the audit record, or read any outputs.
        Unverified: the earlier report cannot be built again.
    """
    from halocline_governance.errors import Refused
    from halocline_governance.report.period import Duty, Question, build, parse

    if duty not in list(Duty):
        raise Refused(f"no duty {duty}; there are: {', '.join(Duty)}")
    question = None if earlier else Question(parse(period), Duty(duty))
    folder = out_dir or _reports(platform)
    return build(_period_sources(platform, say), officer, question, folder, earlier)


def verify_report(
    document: Document,
    key: Path | None = None,
    files: Mapping[str, bytes] | None = None,
    *,
    journal: Path | None = None,
    lake: tuple[Platform, Principal] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Check a period report from itself and the public key, and as far as more is given.

    Args:
        document: the report's JSON.
        key: trusted key; the one this installation trusts when left out.
        files: the bytes of `html` and `pdf`, to check them too.
        journal: a copy of the journal, to count again.
        lake: the installation and the officer who reads its tables again.
        say: is told how far it is.

    Raises:
        Refused: no key.
        Denied: the officer may not read a table again.
    """
    from halocline_governance.errors import Refused
    from halocline_governance.journal import Trust
    from halocline_governance.report.period import recheck, verify
    from halocline_infra.environment import from_env
    from halocline_infra.platform import trust

    if key is not None and not key.is_file():
        raise Refused(f"no key file {key}")
    trusted = Trust.parse(key.read_text(encoding="utf-8")) if key else trust(from_env())
    given = files or {}
    found = verify.verify(document, trusted, given.get("html"), given.get("pdf"))
    if found.ok and journal is not None:
        found.add(recheck.with_journal(document, trusted, journal), "journal")
    if found.ok and lake is not None:
        platform, officer = lake
        require_auditor(platform, officer)
        sources = _period_sources(platform, say)
        again = recheck.with_lake(document, sources, officer)
        found.add(again, "journal", "lake")
    if not found.ok:
        wanted = {"journal": journal, "lake": lake}
        unused = "was given and not looked at, since what was checked before it fails"
        for name in found.open.keys() & {one for one in wanted if wanted[one] is not None}:
            found.open[name] = f"the {name} {unused}"
    return found


def _reports(platform: Platform) -> Path:
    """The installation's folder for reports: its owner's alone, whoever made it."""
    folder = platform.environment.reports
    if folder.is_dir():
        folder.chmod(0o700)
    return folder


def _period_sources(platform: Platform, say: Callable[[str], None]) -> Sources:
    from halocline_governance.report.period import Sources
    from halocline_infra.platform import trust

    return Sources(
        guard=platform.guard,
        gates=platform.gates,
        lake=platform.lake,
        lineage=platform.lineage,
        journal=platform.journal,
        journal_dir=platform.environment.journal,
        trust=trust(platform.environment),
        say=say,
    )
