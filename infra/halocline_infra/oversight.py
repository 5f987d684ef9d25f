"""What a compliance officer does: opening the audit record and building reports.

Composes governance with the registry's ledger, which governance itself must not know.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.gates import Gate
from halocline_governance.label import SYSTEM, Label
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind

if TYPE_CHECKING:
    from halocline_governance.policy.bundle import Bundle
    from halocline_governance.report import Period, ReportPaths
    from halocline_infra.platform import Platform

AUDIT_LABEL = Label("restricted")


def require_auditor(platform: Platform, principal: Principal) -> None:
    """Let somebody at the audit record, or refuse; either way it is recorded.

    Raises:
        Denied: the read gate does not let this principal read `audit.events`.
    """
    platform.gates.require(
        Gate.READ,
        principal,
        Purpose.AUDIT,
        {
            "table": "audit.events",
            "compartment": SYSTEM,
            "columns": list(tables.table("audit.events").column_names),
            "labels": {AUDIT_LABEL.label_id: AUDIT_LABEL.as_json()},
        },
    )


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


def build_report(platform: Platform, officer: Principal, request_id: str) -> ReportPaths:
    """The compliance report for one output, under `reports/`."""
    from halocline_governance import report

    return report.build(
        report.Sources(
            guard=platform.guard,
            gates=platform.gates,
            lineage=platform.lineage,
            journal_dir=platform.environment.journal,
            trust=platform.signer.trust,
            ledger=platform.registry.ledger_rows(),
        ),
        officer,
        request_id,
        platform.environment.reports,
    )


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
