"""The catalogue: every detector by name, and no kind that was published vanishes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from halocline_governance.detect import catalogue
from halocline_governance.errors import Refused

PUBLISHED = Path(__file__).with_name("detect_kinds_published.txt")


def published() -> dict[str, set[str]]:
    """By detector, the kinds that were ever told to anybody: one `detector: kind` a line."""
    held: dict[str, set[str]] = {}
    for line in PUBLISHED.read_text().splitlines():
        name, _, kind = line.partition(": ")
        held.setdefault(name, set()).add(kind)
    return held


@pytest.mark.parametrize("name", published())
def test_no_published_kind_vanishes(name: str) -> None:
    assert published()[name] - catalogue.kinds()[name] == set()


def test_every_kind_there_is_is_published() -> None:
    """A new kind is published by a line in that file, which then stays for good."""
    assert {name: set(kinds) for name, kinds in catalogue.kinds().items()} == published()


@pytest.mark.parametrize("name", catalogue.names())
def test_a_detector_is_what_its_entry_says(name: str) -> None:
    entry, detector = catalogue.entry(name), catalogue.build(name)
    assert re.fullmatch(r"[a-z]+@[1-9][0-9]*", detector.id)
    assert detector.kinds == entry.kinds
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{1,31}", kind) for kind in detector.kinds)
    assert (detector.scan("Nothing stands here.").score is not None) == entry.score


@pytest.mark.parametrize("name", catalogue.names())
def test_engines_give_the_same_answer(name: str) -> None:
    text = "jo@example.org, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00, (212) 555-0123"
    engines = catalogue.entry(name).engines
    told = [catalogue.build(name, engine).scan(text) for engine in engines]
    assert all(one == catalogue.build(name).scan(text) for one in told)
    with pytest.raises(Refused, match="no engine"):
        catalogue.build(name, "nope")


def test_no_kind_is_of_two_detectors() -> None:
    kinds = [kind for held in catalogue.kinds().values() for kind in held]
    assert len(kinds) == len(set(kinds))


def test_words_choose_detectors_and_kinds() -> None:
    assert catalogue.chosen(["email", "toxicity", "iban"]) == {
        "pii": frozenset(("email", "iban")), "toxicity": None,
    }  # fmt: skip
    assert catalogue.chosen(["email", "pii"]) == {"pii": None}


@pytest.mark.parametrize("name", [*catalogue.GATED, "nope", "", "PII"])
def test_no_other_name_builds_anything(name: str) -> None:
    with pytest.raises(Refused):
        catalogue.build(name)
    with pytest.raises(Refused):
        catalogue.chosen([name])


def test_the_catalogue_loads_no_detector() -> None:
    code = (
        "import sys; from halocline_governance.detect import catalogue; catalogue.names()\n"
        "heavy = {'numpy', 'torch', 'numba', 'hyperscan', 're2', 'pyarrow', 'phonenumbers'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
