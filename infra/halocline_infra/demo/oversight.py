"""The demo's end: one window is monitored, one output answered for, and the journal tried."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import halocline_governance
from halocline_governance.errors import Refused
from halocline_infra.demo.ledger import Result
from halocline_infra.demo.scene import Scene

_VERIFY = (sys.executable, "-m", "halocline_infra", "audit", "verify")
# Lies beside the package in the repository: whoever verifies takes it without the rest.
_STAND_ALONE = Path(halocline_governance.__file__).parents[1] / "verifier" / "verify_journal.py"


def monitor(scene: Scene) -> Result:
    """Toxicity, PII, segregation and drift over what was just said."""
    from halocline_infra.checks import detectors
    from halocline_monitoring.run import Monitor

    platform = scene.platform
    home = scene.home_label
    watch = Monitor(
        platform.lake,
        platform.guard,
        platform.gates,
        scene.cast.service("monitor", home),
        detectors(platform),
    )
    report = watch.window(
        [home.compartment],
        scene.note("serve", "began"),
        scene.note("serve", "ended"),
        platform.environment.reports / "drift",
    )
    result = Result()
    for seen in report.observations:
        told = seen.as_json()
        partial = told["partial"]
        counts: dict[str, int] = partial["counts"]
        found = ", ".join(
            f"{name} {_found(counts, name)}"
            for name in ("toxicity", "pii", "secrets", "segregation", "canary")
        )
        result.facts.append(
            f"{seen.compartment}: {partial['num_rows']} outputs, of which"
            f" {counts.get('outcome:held', 0)} held; generated with {found};"
            f" {len(told['alerts'])} alerts"
        )
        result.facts += [f"alert: {alert}" for alert in told["alerts"]]
        result.facts += list(told["notes"])
        result.notes[seen.compartment] = told
        if seen.page:
            result.artefacts[f"drift, {seen.compartment}"] = str(seen.page)
    return result


def report(scene: Scene) -> Result:
    """What answers for the first answer and for the month; then all is verified, and damaged."""
    from halocline_governance.journal import verify
    from halocline_infra.oversight import build_report

    platform = scene.platform
    request_id = scene.note("serve", "request_id")
    paths = build_report(platform, scene.cast.officer, request_id)
    result = Result(facts=[f"the report answers for output {request_id}"])
    result.artefacts |= {"report": str(paths.html), "report, for machines": str(paths.json)}
    _month(scene, result)
    platform.journal.close()
    trust = platform.signer.trust
    found = verify(platform.environment.journal, trust)
    if not found.ok:
        place, what = found.problems[0]
        raise Refused(f"the journal does not verify: {place}: {what}")
    records = sum(log.num_records for log in found.logs)
    result.facts += [
        f"journal verified: {records} records in {len(found.logs)} logs",
        _stand_alone(scene),
        _damage(platform.environment.journal, trust.text()),
    ]
    result.notes["request_id"] = request_id
    result.artefacts["journal"] = str(platform.environment.journal)
    return result


def _month(scene: Scene, result: Result) -> None:
    """The report of this month, checked as somebody would who has it and the public key alone."""
    from halocline_governance.report.period import Document
    from halocline_infra.oversight import build_period_report, verify_report

    environment = scene.platform.environment
    month = datetime.now(UTC).strftime("%Y-%m")
    made = build_period_report(scene.platform, scene.cast.officer, month, "all")
    files = {"html": made.html.read_bytes(), "pdf": made.pdf.read_bytes()}
    document = Document.parse(made.json.read_bytes())
    checked = verify_report(document, environment.keys / "journal.pub", files)
    if not checked.ok:
        raise Refused(f"the report does not verify: {checked.faults[0]}")
    result.facts.append(
        f"the report of {month} verifies from itself and the public key:"
        f" {len(checked.held)} checks held"
    )
    result.artefacts |= {
        "report of the month": str(made.html),
        "report of the month, to file": str(made.pdf),
        "report of the month, to verify": str(made.json),
    }


def _stand_alone(scene: Scene) -> str:
    """What the verifier says that shares no code with the writer."""
    environment = scene.platform.environment
    if not _STAND_ALONE.is_file():
        return f"the stand-alone verifier is not installed here: {_STAND_ALONE.name}"
    done = subprocess.run(
        [sys.executable, _STAND_ALONE, environment.journal, environment.keys / "journal.pub"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.splitlines()[-1:]
    if done.returncode != 0:
        raise Refused(f"the stand-alone verifier disagrees: {' '.join(said) or done.stderr}")
    return f"the stand-alone verifier, which shares no code with it, says: {said[0]}"


def _damage(journal: Path, key: str) -> str:
    """Flip one byte in a copy and let the command find it; what it says first."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "journal"
        shutil.copytree(journal, copy)
        (Path(name) / "key").write_text(key)
        segment = max(copy.rglob("*.seg"), key=lambda path: path.stat().st_size)
        damaged = bytearray(segment.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        segment.write_bytes(damaged)
        done = subprocess.run(
            [*_VERIFY, copy, "--key", Path(name) / "key"],
            capture_output=True,
            text=True,
            check=False,
        )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode == 0 or not failed:
        raise Refused("a flipped byte went unnoticed: the journal's verification is broken")
    return f"one byte flipped in a copy: {failed[0]}"


def _found(counts: Mapping[str, int], name: str) -> int:
    """Outputs in which this detector, of whatever version, finds something."""
    wanted = re.compile(rf"now:{re.escape(name)}@[^:]+:found")
    return sum(count for key, count in counts.items() if wanted.fullmatch(key))
