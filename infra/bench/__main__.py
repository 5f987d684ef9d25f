"""Runs the benches, every `<component>/bench/<name>.py`, and keeps `<name>.json` under var/bench.

A bench is a script: people's words on standard error, one JSON object on standard output.
Knows nothing of what is measured; adds when, on which machine, at which commit, by which command.
"""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    wanted = sys.argv[1:]
    benches = {path.stem: path for path in sorted(ROOT.glob("*/bench/[a-z]*.py"))}
    unknown = [name for name in wanted if name not in benches]
    if unknown:
        print(f"No bench {unknown[0]}; there are: {', '.join(benches)}", file=sys.stderr)
        return 2
    kept = Path(os.environ.get("HALOCLINE_HOME") or ROOT / "var") / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    failed = [name for name in wanted or benches if not measure(benches[name], kept)]
    for name in failed:
        print(f"bench {name} failed", file=sys.stderr)
    return 1 if failed else 0


def measure(bench: Path, kept: Path) -> bool:
    """Run one bench and keep what it measured; an earlier result stays if it fails."""
    print(f"== {bench.relative_to(ROOT)}", file=sys.stderr, flush=True)
    started = time.monotonic()
    done = subprocess.run([sys.executable, bench], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        measured: Any = json.loads(done.stdout)
    except ValueError:
        print(f"{bench.name} printed no JSON object on standard output", file=sys.stderr)
        return False
    if done.returncode != 0 or not isinstance(measured, dict):
        return False
    record: dict[str, Any] = {
        "bench": bench.stem,
        "command": f"make bench NAME={bench.stem}",
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 3),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "measured": measured,
    }
    fresh = kept / f".{bench.stem}.json"
    fresh.write_text(json.dumps(record, indent=2) + "\n")
    fresh.replace(kept / f"{bench.stem}.json")
    print(json.dumps(measured, indent=2), file=sys.stderr, flush=True)
    return True


def _commit() -> str:
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(git, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
