"""Names that say nothing are refused; so is a component that reads the environment on its own."""

import ast
import re
from pathlib import Path

EMPTY_MODULES = {"common", "core", "helper", "helpers", "misc", "shared", "util", "utils"}
EMPTY_CLASS = re.compile(
    r"(Manager|Handler|Helper|Processor|Service|Impl|Utils?|Common|Factory|Data|Info)$|^Base[A-Z]"
)


def test_modules_are_named_by_a_noun(sources: dict[Path, str]) -> None:
    named = {path for path in sources for part in path.with_suffix("").parts if empty(part)}
    assert named == set()


def empty(part: str) -> bool:
    return part in EMPTY_MODULES or part.endswith(("_utils", "_util", "_helpers"))


def test_classes_have_no_role_suffix(trees: dict[Path, ast.Module]) -> None:
    named = {
        f"{path}: {node.name}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and EMPTY_CLASS.search(node.name)
    }
    assert named == set()


def test_modules_say_what_they_are(trees: dict[Path, ast.Module]) -> None:
    silent = {
        str(path) for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)
    }
    assert silent == set()


def test_only_infra_reads_our_variables(sources: dict[Path, str]) -> None:
    readers = {
        str(path)
        for path, source in sources.items()
        if path.parts[0] != "infra" and re.search(r"(environ|getenv)\W.*HALOCLINE_", source)
    }
    assert readers == set()


def test_every_variable_is_documented(sources: dict[Path, str], documents: str) -> None:
    named = {
        name
        for source in sources.values()
        for name in re.findall(r"HALOCLINE_[A-Z_]*[A-Z]", source)
    }
    # A prefix, not a variable: what the tests read is told in CONTRIBUTING.
    named -= {"HALOCLINE_TEST"}
    assert {name for name in named if not re.search(rf"{name}\b", documents)} == set()
