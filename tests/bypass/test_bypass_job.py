"""Modes 1 and 2: what code inside a job obtains, by hand and through the guard library."""

from __future__ import annotations

import pytest
from bypass_bare import BARE
from bypass_evidence import Evidence, leaks
from bypass_library import LIBRARY
from bypass_table import ATTACKS
from bypass_world import Attack, Scene, attempt

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    # MLflow and Spark deprecate things of their own, in their own code.
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
TRIED = [
    (mode, n, table[n]) for mode, table in (("bare", BARE), ("library", LIBRARY)) for n in table
]

# What goes by the files or the process is one attack on both: the guard is not asked.
_made: dict[Attack, Evidence] = {}


@pytest.mark.parametrize(
    ("mode", "number", "attack"),
    sorted(TRIED, key=lambda one: one[:2]),
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_a_job_obtains(mode: str, number: int, attack: Attack, scene: Scene) -> None:
    evidence = _made[attack] = _made.get(attack) or attempt(attack, scene)
    found = leaks(evidence)
    verdict = "open" if found else "blocked"
    assert verdict == ATTACKS[number].verdict(mode), (ATTACKS[number].name, found or evidence)


@pytest.mark.parametrize(("mode", "table"), [("bare", BARE), ("library", LIBRARY)])
def test_each_attack_is_made_in_a_job(mode: str, table: dict[int, Attack]) -> None:
    assert set(table) == {n for n, one in ATTACKS.items() if one.verdict(mode) != "residual"}
