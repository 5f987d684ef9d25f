"""What an import costs: the governance package and the CLI's help load no framework."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "delta", "deltalake", "evidently", "fastapi", "hyperscan", "markitdown", "mlflow", "numba",
    "numpy", "openai", "pandas", "presidio_analyzer", "pyarrow", "pyspark", "re2", "sklearn",
    "spacy", "tokenizers", "torch", "transformers", "triton", "uvicorn",
}  # fmt: skip
# What the bare distribution promises: hold a label, verify a journal, ask a policy.
BARE = [
    "halocline_governance",
    "halocline_governance.gates",
    "halocline_governance.identity",
    "halocline_governance.journal",
    "halocline_governance.keys",
    "halocline_governance.lake",
    "halocline_governance.policy",
    "halocline_governance.tables",
]
# Numba and the matchers stand where the detectors' kernels are defined, in modules of their own.
FRAMEWORKS = HEAVY - {"deltalake", "hyperscan", "numba", "numpy", "pyarrow", "re2"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules a fresh interpreter holds after running the code."""
    report = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", BARE)
def test_the_bare_package_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}") & HEAVY == set()


def test_no_module_of_governance_loads_a_framework(root: Path) -> None:
    package = root / "governance/halocline_governance"
    modules = [
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in sorted(package.rglob("*.py"))
    ]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({m!r})" for m in modules)
    assert loaded_by(code.replace(".__init__", "")) & FRAMEWORKS == set()


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import contextlib, io, sys\n"
        "from halocline_infra.cli import app\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):\n"
        "    app(['--help'])\n"
        "assert 'lake' in out.getvalue()"
    )
    assert loaded_by(code) & HEAVY == set()
