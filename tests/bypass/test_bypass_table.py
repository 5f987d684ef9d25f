"""The threat model's table is the one that the measurements are held to."""

from pathlib import Path

from bypass_table import ATTACKS, MODES, page


def test_the_threat_model_shows_the_table(root: Path) -> None:
    text = (root / "docs/threat-model.md").read_text()
    assert page() in text, "write it: python tests/bypass/bypass_table.py"


def test_the_table_is_whole() -> None:
    assert list(ATTACKS) == list(range(1, len(ATTACKS) + 1))
    assert len(ATTACKS) >= 34
    assert all(len(one.verdicts) == len(MODES) and one.why for one in ATTACKS.values())


def test_the_server_blocks_all_but_what_is_named() -> None:
    """21 and 22 are bounded by measurements."""
    left = {n: one.verdict("server") for n, one in ATTACKS.items()}
    assert {n: verdict for n, verdict in left.items() if verdict != "blocked"} == {
        21: "residual",
        22: "residual",
    }
