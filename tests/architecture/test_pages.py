"""What the pages point at is there: links, files named in code spans, make targets, commands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMPONENTS = "docs|governance|infra|kernels|monitoring|pipelines|registry|serving|tests"


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[Path, str]:
    found = [*root.glob("*.md"), *root.glob("*/README.md"), *root.glob("docs/**/*.md")]
    return {page: page.read_text() for page in sorted(found)}


def test_links_lead_somewhere(root: Path, pages: dict[Path, str]) -> None:
    broken = [
        f"{page.relative_to(root)}: {target}"
        for page, text in pages.items()
        for target in re.findall(r"\]\((?!\w+:|#)([^)#]+)", text)
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_named_files_exist(root: Path, pages: dict[Path, str]) -> None:
    absent = [
        f"{page.relative_to(root)}: {name}"
        for page, text in pages.items()
        for name in re.findall(rf"`((?:{COMPONENTS})/[\w./-]+)`", text)
        if not (root / name).exists()
    ]
    assert absent == []


def test_make_targets_exist(root: Path, pages: dict[Path, str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for text in pages.values()
        for name in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)
    }
    assert named - targets == set()


def test_every_target_has_a_help_line(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)
    described = re.findall(r"^([a-z][a-z-]*):.*## \S", makefile, re.MULTILINE)

    assert targets == described
    told = subprocess.run(["make", "-C", root, "help"], capture_output=True, text=True).stdout
    assert [name for name in targets if f"make {name} " not in told] == []


def test_named_commands_exist(pages: dict[Path, str]) -> None:
    """`halocline <group> <command>` as any page writes it; `--help` of each must answer."""
    pattern = re.compile(r"(?:`|^|\$ )halocline ([a-z]+(?: [a-z]+)?)(?=[ `\n])", re.MULTILINE)
    commands = {name for text in pages.values() for name in pattern.findall(text)}
    code = (
        "import sys\n"
        "from typer.main import get_command\n"
        "from halocline_infra.cli import app\n"
        "root = get_command(app)\n"
        "for name in sys.argv[1:]:\n"
        "    at = root\n"
        "    for part in name.split():\n"
        "        at = getattr(at, 'commands', {}).get(part)\n"
        "        if at is None:\n"
        "            print(name)\n"
        "            break\n"
        "        if not hasattr(at, 'commands'):\n"
        "            break\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *sorted(commands)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
