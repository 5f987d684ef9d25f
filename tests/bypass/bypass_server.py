"""Mode 3: a process of another OS user with a valid token of Ana's, against the guard server.

Run as a script: reads what it is told as JSON from standard input, writes what it obtained.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

sys.path.insert(0, str(Path(__file__).parent))
import bypass_server_known
import bypass_server_own
from bypass_evidence import Evidence
from bypass_names import NUM_ALLOWED
from bypass_target import HERE, SERVER, Target, plain, rows_of

ATTACKS = (bypass_server_known, bypass_server_own)
"""Importing them fills the list."""


def check_door(target: Target, number: int) -> None:
    """What is hers Ana gets, by either way of asking: a server that answers nobody blocks nothing.

    An attack that stumbles over itself, or stops the server, fails the run.
    """
    for answer in (target.ask(), target.sql(f'SELECT text FROM "{HERE}"')):
        assert len(rows_of(answer)) == NUM_ALLOWED, f"after attack {number}: {answer}"


def main() -> None:
    target = Target(**json.loads(sys.stdin.read()))
    found: dict[int, Any] = {}
    check_door(target, 0)
    asked = [int(word) for word in sys.argv[1:]] or sorted(SERVER)
    for number, attack in ((number, SERVER[number]) for number in asked):
        try:
            got = attack(target)
        except (OSError, pa.ArrowException, DeltaError, duckdb.Error) as error:
            got = Evidence(f"{type(error).__name__}: {plain(error)}")
        found[number] = {"text": str(got.text), "hidden": got.hidden, "sign": got.sign}
        if os.getuid() != target.uid:
            check_door(target, number)
    json.dump({"uid": os.getuid(), "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
