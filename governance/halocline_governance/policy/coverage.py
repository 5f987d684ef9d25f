"""The policies' own tests, run by OPA, and how much of each policy they reach."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from halocline_governance.errors import Refused
from halocline_governance.policy.bundle import POLICIES

_PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Test:
    """One Rego test that ran."""

    package: str
    name: str
    passed: bool
    duration_s: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of a policy file's lines some test evaluates; `missed` are the others."""

    file: str
    num_covered: int
    missed: tuple[int, ...]

    @property
    def percent(self) -> float:
        """A file without a line to evaluate is covered."""
        whole = self.num_covered + len(self.missed)
        return 100.0 * self.num_covered / whole if whole else 100.0

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "percent": round(self.percent, 2),
            "covered": self.num_covered,
            "missed": list(self.missed),
        }


def roots(folder: Path | None) -> tuple[Path, ...]:
    """What a folder of policies is tested with: policies that are only added need ours.

    Raises:
        Refused: no such folder, or no policy in it.
    """
    if folder is None or folder.resolve() == POLICIES.resolve():
        return (POLICIES,)
    if not any(folder.glob("*/*.rego")):
        raise Refused(f"{folder}: no policy in it; they are NAME/NAME.rego")
    whole = (folder / "proof" / "proof.rego").exists()
    return (folder,) if whole else (POLICIES, folder)


def run(opa: Path | None, folder: Path | None = None) -> list[Test]:
    """Every test of the policies in the folder, ours by default.

    Raises:
        Refused: OPA is not there, or does not take the policies.
    """
    done = ask(opa, "test", "--format", "json", *map(str, roots(folder)))
    told = _parsed(done)
    return [
        Test(
            str(entry.get("package", "")),
            str(entry.get("name", "")),
            not (entry.get("fail") or entry.get("error")),
            float(entry.get("duration", 0)) / 1e9,
        )
        for entry in cast("list[dict[str, Any]]", told)
    ]


def measure(opa: Path | None, folder: Path | None = None) -> list[Coverage]:
    """The coverage of every policy file in the folder, ours by default; test files left out.

    Raises:
        Refused: OPA is not there, does not take the policies, or a test fails.
    """
    asked = roots(folder)
    done = ask(opa, "test", "--coverage", "--format", "json", *map(str, asked))
    if done.returncode:
        raise Refused("a policy test fails; see `halocline policy test`")
    files: dict[str, dict[str, Any]] = cast("dict[str, Any]", _parsed(done)).get("files") or {}
    own = asked[-1].resolve()
    found: list[Coverage] = []
    for path in sorted(own.glob("*/*.rego")):
        if path.name.endswith("_test.rego"):
            continue
        told = next((files[name] for name in files if Path(name).resolve() == path), None)
        if told is None:  # no test evaluates a line of it
            found.append(Coverage(str(path.relative_to(own)), 0, (1,)))
            continue
        covered, missed = _rows(told.get("covered")), _rows(told.get("not_covered"))
        found.append(Coverage(str(path.relative_to(own)), len(covered), tuple(sorted(missed))))
    return found


def _rows(spans: object) -> set[int]:
    return {
        row
        for span in cast("list[dict[str, Any]]", spans or [])
        for row in range(span["start"]["row"], span["end"]["row"] + 1)
    }


def total(files: list[Coverage]) -> float:
    """Percent over all files."""
    covered = sum(file.num_covered for file in files)
    whole = covered + sum(len(file.missed) for file in files)
    return 100.0 * covered / whole if whole else 100.0


def ask(opa: Path | None, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the OPA binary, with nothing of our environment.

    Raises:
        Refused: it is not there, or cannot be run.
    """
    if opa is None:
        raise Refused(
            "OPA is not installed: `make setup` puts it beside Python; or name it in HALOCLINE_OPA."
            " Deciding needs none (HALOCLINE_POLICY=embedded), working on policies does"
        )
    try:
        return subprocess.run(
            [str(opa), *arguments],
            capture_output=True,
            check=False,
            env={"HOME": "/"},
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"OPA did not finish within {_PATIENCE_S} s") from None
    except OSError as error:
        raise Refused(f"OPA cannot be started: {error.strerror}; run set-up again") from None


def _parsed(done: subprocess.CompletedProcess[bytes]) -> object:
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise Refused(f"OPA does not take the policies: {said[:2000]}") from None
