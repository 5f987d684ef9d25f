"""The stand-alone verifier as a module: a process for each question would take too long."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

VERIFIER = Path(__file__).parents[2] / "governance" / "verifier" / "verify_journal.py"


@cache
def verifier() -> Any:
    spec = spec_from_file_location("verify_journal", VERIFIER)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verified(*arguments: str | Path) -> dict[str, Any]:
    """What it says with --json; its exit status must agree."""
    said = io.StringIO()
    with redirect_stdout(said):
        status = verifier().main([*map(str, arguments), "--json"])
    found: dict[str, Any] = json.loads(said.getvalue())
    assert status == (0 if found["ok"] else 1), found
    return found
