"""The code under law: every Python file of a component, read once."""

import ast
import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def components(root: Path) -> list[Path]:
    """The branded packages, as pyproject.toml lists them."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return [
        root / path for path in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ]


@pytest.fixture(scope="session")
def sources(root: Path, components: list[Path]) -> dict[Path, str]:
    """Every Python file in a component folder, benches and set-up included."""
    files = (path for package in components for path in package.parent.rglob("*.py"))
    return {path.relative_to(root): path.read_text() for path in sorted(files)}


@pytest.fixture(scope="session")
def trees(sources: dict[Path, str]) -> dict[Path, ast.Module]:
    return {path: ast.parse(source) for path, source in sources.items()}


@pytest.fixture(scope="session")
def documents(root: Path) -> str:
    """All that the project tells its readers, as one text."""
    pages = [*root.glob("*.md"), *root.glob("*/README.md"), *root.glob("docs/**/*.md")]
    return "\n".join(re.sub(r"\s+", " ", page.read_text()) for page in sorted(pages))
