"""Mode 3: a process of another OS user with a valid token of Ana's, against the guard server.

Run as a script: reads what it is told as JSON from standard input, writes what it obtained.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))
import bypass_server_known
import bypass_server_own
from bypass_evidence import Evidence
from bypass_target import SERVER, Target, plain

ATTACKS = (bypass_server_known, bypass_server_own)
"""Importing them fills the list."""


def main() -> None:
    target = Target(**json.loads(sys.stdin.read()))
    found: dict[int, Any] = {}
    asked = [int(word) for word in sys.argv[1:]] or sorted(SERVER)
    for number, attack in ((number, SERVER[number]) for number in asked):
        try:
            got = attack(target)
        except (OSError, ImportError, pa.ArrowException) as error:
            got = Evidence(f"{type(error).__name__}: {plain(error)}")
        except Exception as error:  # noqa: BLE001 - Delta's and DuckDB's own
            got = Evidence(f"{type(error).__name__}: {plain(error)}")
        found[number] = {"text": str(got.text), "hidden": got.hidden, "sign": got.sign}
    json.dump({"uid": os.getuid(), "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
