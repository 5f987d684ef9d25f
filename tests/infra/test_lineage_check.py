"""`halocline lineage check`: every kind it documents is found by an attack; what cannot be checked
is never silence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from halocline_governance.lineage.checks_kinds import KINDS
from halocline_infra.commands import lineage_check
from tests.governance import test_lineage_checks, test_lineage_checks_outputs
from tests.infra.test_lineage_commands import OUTPUT, Home, make
from tests.registry import test_projection_attacks

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

PAGE = Path(__file__).parents[2] / "docs" / "lineage.md"
# Found by tests of their own, in those files.
ALONE = {"rows_now", "output_not_erased", "mlflow_version_twice"}


def test_every_kind_is_documented_and_found_by_an_attack() -> None:
    section = PAGE.read_text().partition("## What a check finds")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
    attacks = [
        *(wanted for _, wanted in test_lineage_checks.LIES.values()),
        *(wanted for *_, wanted in test_lineage_checks_outputs.ATTACKS.values()),
        *(wanted for _, wanted in test_projection_attacks.ATTACKS.values()),
        {("", kind) for *_, kind in test_lineage_checks.CRASHES},
    ]
    found = {kind for wanted in attacks for _, kind in wanted}

    assert documented == list(dict.fromkeys(documented))
    assert set(documented) == KINDS.keys()
    assert found | ALONE == KINDS.keys()
    assert not found & ALONE


def test_mlflow_that_cannot_be_read_is_told_and_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home: Home = make(tmp_path / "home", upto="begin")
    monkeypatch.setattr(lineage_check, "_QUIET_S", 0.0)
    monkeypatch.setattr(lineage_check, "_EVERY_S", 0.0)
    monkeypatch.setattr("halocline_governance.lineage.checks_outputs.TOLD_EVERY", 1)
    code, out, err = home.call("check")
    assert (code, out.splitlines()[-1]) == (0, "lineage in order"), out + err
    assert "read 1 records of answers" in err

    (home.folder / "mlflow").mkdir()
    (home.folder / "mlflow" / "mlflow.db").write_bytes(b"no database at all" * 100)
    code, out, _ = home.call("check", "--json")
    told = json.loads(out)
    assert (code, told["flags"], told["outputs"]) == (lineage_check.NOT_CHECKED, [], 1)
    assert ["MLflow: its store cannot be read" in one for one in told["unchecked"]] == [True]
    code, out, _ = home.call("check")
    assert "NOT CHECKED MLflow: its store cannot be read" in out

    for file in (home.folder / "lake" / "buy" / "serving" / "outputs").glob("*.parquet"):
        file.unlink()
    code, out, _ = home.call("check", "--json")
    assert code == lineage_check.NOT_CHECKED
    assert any("files of it are gone" in one for one in json.loads(out)["unchecked"])
    assert OUTPUT not in out
