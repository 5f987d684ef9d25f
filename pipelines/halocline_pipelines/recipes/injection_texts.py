"""Texts of the injection recipe, by family: attacks, and what only looks like one.

All are written for this project. In a template `{a|b}` chooses; a family is held out whole when it
is measured. The unseen ones are in no template's words, and never trained on.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

_CHOICE = re.compile(r"\{([^{}]*)\}")


def _lines(name: str) -> list[str]:
    text = Path(__file__).with_name(f"injection_{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line]


def _families(name: str) -> dict[str, tuple[str, ...]]:
    """Templates under the last line that begins with `# `, which names their family."""
    found: dict[str, list[str]] = {}
    family = ""
    for line in _lines(name):
        if line.startswith("# "):
            family = line[2:]
        else:
            found.setdefault(family, []).append(line)
    return {family: tuple(templates) for family, templates in found.items()}


ATTACKS, HARMLESS = _families("attacks"), _families("harmless")
UNSEEN_ATTACKS, UNSEEN_HARMLESS = _lines("unseen_attacks"), _lines("unseen_harmless")


def drawn(rng: random.Random, template: str) -> str:
    """The template with every choice made."""
    while match := _CHOICE.search(template):
        chosen = rng.choice(match[1].split("|"))
        template = template[: match.start()] + chosen + template[match.end() :]
    return template.strip()
